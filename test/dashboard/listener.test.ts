/** The small HTTP server, over real sockets: what it lets through, what it refuses, and how it stops. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { createDashboard } from "../../src/dashboard/index.ts";
import { listen } from "../../src/dashboard/server/listener.ts";
import { memory } from "../../src/store/memory/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { serveDashboard } from "../support/serve-dashboard.ts";

/** Sends bytes as they are, and gives what comes back until the other side closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (answer += chunk));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("the dashboard's listener", () => {
  it("serves the page, the API and changes to a browser on this machine", async () => {
    const store = memory();
    await using served = await serveDashboard({ store, path: "/jobs" });
    const moved = await fetch(served.url.slice(0, -1));
    assert.equal(moved.url, served.url);
    assert.match(await moved.text(), /<main id="content"/);
    assert.equal((await fetch(`${served.url}api/overview`)).status, 200);
    const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin" };
    const body = JSON.stringify({ queue: "mail" });
    assert.equal((await fetch(`${served.url}api/queues/pause`, { method: "POST", headers, body })).status, 200);
    const head = await fetch(served.url, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  });

  it("refuses a request without a usable Host, and targets that are not paths", async () => {
    await using served = await serveDashboard({ store: memory() });
    const port = Number(new URL(served.url).port);
    const cases = [
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost/evil\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    for (const text of cases) assert.match(await raw(port, text), /^HTTP\/1\.1 400 /, JSON.stringify(text));
    const slashes = await raw(port, "GET //evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert.match(slashes, /^HTTP\/1\.1 404 /);
    const rebound = await raw(port, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert.match(rebound, /^HTTP\/1\.1 403 /);
  });

  it("stops although somebody listens to the live numbers", async () => {
    const dashboard = createDashboard({ store: memory() });
    const listener = await listen(dashboard.fetch, 0, "127.0.0.1", silentLogger);
    const url = `http://127.0.0.1:${listener.address.port}/`;
    const stream = await fetch(`${url}api/live`);
    await stream.body?.getReader().read();
    await dashboard.close();
    await listener.close(AbortSignal.timeout(10_000));
    await assert.rejects(fetch(url));
  });

  it("ends what does not end by itself when its time is over", async () => {
    const listener = await listen(() => new Promise(() => undefined), 0, "127.0.0.1", silentLogger);
    const hanging = fetch(`http://127.0.0.1:${listener.address.port}/`);
    hanging.catch(() => undefined);
    const socket = connect(listener.address.port, "127.0.0.1");
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("connect", resolve));
    await listener.close(AbortSignal.abort());
    await assert.rejects(hanging);
    socket.destroy();
  });

  it("says why it cannot listen", async () => {
    await using served = await serveDashboard({ store: memory() });
    const port = Number(new URL(served.url).port);
    const taken = listen(() => Promise.resolve(new Response()), port, "127.0.0.1", silentLogger);
    await assert.rejects(taken, { code: "EADDRINUSE" });
  });
});
