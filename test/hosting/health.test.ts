import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { HealthEndpoint } from "../../src/hosting/health-endpoint.ts";
import { Health, type HostOptions, HostView, type Probe } from "../../src/hosting/index.ts";
import { measureLoopLag } from "../../src/hosting/loop-lag.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { plain, quiet, turns, untilAborted } from "./support.ts";

async function statuses(health: Health): Promise<Record<Probe, number>> {
  const ask = async (probe: Probe) => (await health.handler(new Request(`http://localhost/${probe}`))).status;
  return { livez: await ask("livez"), readyz: await ask("readyz"), startupz: await ask("startupz") };
}

const virtual = (options: HostOptions = {}) => {
  const clock = new VirtualClock();
  return { clock, ...quiet({ clock, ...options }) };
};

test("before, during and after: startup is green once started, readiness until the first request to stop, liveness throughout", async () => {
  const { builder, clock } = virtual({ drainDelay: "5s" });
  await using host = builder.addHostedService(plain("s", [])).build();
  assert.deepEqual(await statuses(host.health), { livez: 200, readyz: 503, startupz: 503 });
  await host.start();
  assert.deepEqual(await statuses(host.health), { livez: 200, readyz: 200, startupz: 200 });
  host.lifetime.stopApplication();
  assert.deepEqual(await statuses(host.health), { livez: 200, readyz: 503, startupz: 200 });
  const stopped = host.stop();
  await clock.advance("1s");
  assert.deepEqual(await statuses(host.health), { livez: 200, readyz: 503, startupz: 200 });
  await clock.advance("5s");
  await stopped;
});

test("a required service that died makes the application unready; one that is not required does not", async () => {
  for (const required of [true, false]) {
    const { builder } = virtual({ onServiceFailure: "ignore" });
    builder.addHostedService({ execute: () => Promise.reject(new Error("dead")) }, { name: "worker", required });
    await using host = builder.build();
    await host.start();
    await turns(5);
    const report = await host.health.report("readyz");
    assert.equal(report.ok, !required);
    if (required)
      assert.deepEqual(
        report.checks.find(({ name }) => name === "worker"),
        { name: "worker", ok: false, reason: "faulted" },
      );
  }
});

test("a service that promised to beat and does not is not alive, until it beats again", async () => {
  const { builder, clock } = virtual();
  let beat: (doing?: string) => void = () => undefined;
  builder.addHostedService(
    {
      execute(stopping, context) {
        beat = context.beat;
        context.beat("reading");
        return untilAborted(stopping);
      },
    },
    { name: "importer", heartbeat: "30s" },
  );
  await using host = builder.build();
  await host.start();
  await clock.advance("29s");
  assert.equal((await statuses(host.health)).livez, 200);
  await clock.advance("2s");
  const report = await host.health.report("livez");
  assert.deepEqual(report.checks.at(-1), { name: "importer", ok: false, reason: "no heartbeat in time (reading)" });
  assert.equal(host.snapshot().services[0]?.alive, false);
  assert.equal((await statuses(host.health)).readyz, 503);
  beat("writing");
  assert.deepEqual(await statuses(host.health), { livez: 200, readyz: 200, startupz: 200 });
  assert.equal(host.snapshot().services[0]?.doing, "writing");
});

test("checks are added by name: false, an error, and silence fail; detail tells why, and only when asked for", async () => {
  const { builder, clock } = virtual();
  builder.addHealthCheck("fine", () => true);
  builder.addHealthCheck("no", () => false);
  builder.addHealthCheck("throws", () => Promise.reject(new Error("no route to host")));
  builder.addHealthCheck("hangs", () => new Promise(() => undefined), { timeout: "2s" });
  builder.addHealthCheck("alive", () => false, { probe: "livez" });
  await using host = builder.build();
  await host.start();
  const reported = host.health.report("readyz");
  await clock.advance("3s");
  const reasons = Object.fromEntries((await reported).checks.map(({ name, reason }) => [name, reason ?? "ok"]));
  const expected = { host: "ok", fine: "ok", no: "failed", throws: "no route to host", hangs: "no answer within 2s" };
  assert.deepEqual(reasons, expected);
  const bare = await host.health.handler(new Request("http://localhost/livez"));
  assert.deepEqual(await bare.json(), { status: "failing" });
  const full = await host.health.handler(new Request("http://localhost/health/livez"), { detail: true });
  assert.deepEqual(((await full.json()) as { checks: unknown[] }).checks.at(-1), {
    name: "alive",
    ok: false,
    reason: "failed",
  });
  assert.equal((await host.health.handler(new Request("http://localhost/other"))).status, 404);
  assert.equal((await host.health.handler(new Request("http://localhost/livez", { method: "POST" }))).status, 405);
});

test("a blocked event loop is seen, and forgotten after a while", async () => {
  const clock = new VirtualClock();
  let extra = 0;
  const late = {
    ...clock,
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + extra,
    setTimer: clock.setTimer.bind(clock),
  };
  using lag = measureLoopLag(late);
  await clock.advance("1s");
  assert.equal(lag.worst(), 0);
  extra = 12_000;
  assert.equal(lag.worst(), 11_500);
  await clock.advance("1s");
  assert.equal(lag.worst(), 12_000);
  await clock.advance("11s");
  assert.equal(lag.worst(), 0);
});

test("a block is seen nearly whole where little is allowed: the watch looks more often then", async () => {
  const clock = new VirtualClock();
  let extra = 0;
  const late = { ...clock, monotonic: () => clock.monotonic() + extra, setTimer: clock.setTimer.bind(clock) };
  using lag = measureLoopLag(late as VirtualClock, 200);
  await clock.advance("1s");
  extra = 300;
  assert.ok(lag.worst() > 200, `${lag.worst()} of 300 ms`);
});

test("the endpoint answers from before the first service starts until after the last has stopped", async () => {
  const seen: string[] = [];
  const { builder } = quiet();
  const probe = async (when: string, path = "readyz") => {
    const response = await fetch(`http://127.0.0.1:${host.services.get(HealthEndpoint).port}/${path}`);
    seen.push(`${when} ${response.status}`);
  };
  builder.addHostedService(plain("s", [], { start: () => probe("starting"), stop: () => probe("stopping", "livez") }), {
    name: "s",
  });
  builder.addHealthEndpoint({ port: 0, detail: true });
  await using host = builder.build();
  await host.start();
  await probe("running");
  const { port } = host.services.get(HealthEndpoint);
  await host.stop();
  assert.deepEqual(seen, ["starting 503", "running 200", "stopping 200"]);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`));
});

test("a port that is taken is why the start rejects", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise<void>((resolve) => other.once("listening", () => resolve()));
  const address = other.address();
  assert.ok(typeof address === "object" && address !== null);
  await using host = quiet().builder.addHealthEndpoint({ port: address.port }).build();
  await assert.rejects(host.start(), { code: "EADDRINUSE" });
  other.close();
});

test("services may look at the host: its view and its health are injected", async () => {
  await using host = quiet().builder.addHostedService(plain("s", []), { name: "s" }).build();
  assert.equal(host.services.get(Health), host.health);
  assert.equal(host.services.get(HostView).snapshot().services[0]?.name, "s");
});

test("an HTTP server is drained: the answer under way comes with Connection: close, and idle connections are closed", async () => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = createServer(async (_request, response) => {
    arrived.resolve();
    await gate.promise;
    response.end("done");
  });
  // Idle connections would stay for ever: only the drain can end them.
  server.keepAliveTimeout = 0;
  const { builder } = quiet();
  await using host = builder.addHttpServer(server, { name: "web" }).build();
  await host.start();
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<{ connection: string | undefined; status: number | undefined }>((resolve, reject) => {
    get({ port: address.port, host: "127.0.0.1", agent }, (response) => {
      response.resume();
      response.once("end", () => resolve({ connection: response.headers.connection, status: response.statusCode }));
    }).once("error", reject);
  });
  await arrived.promise;
  const stopped = host.stop();
  while (server.listening) await turns(1);
  gate.resolve();
  assert.deepEqual(await answered, { connection: "close", status: 200 });
  await stopped;
  agent.destroy();
});

test("an HTTP connection that does not end is cut when the time for stopping is over, and services stop after the drain", async () => {
  const arrived = Promise.withResolvers<void>();
  const server = createServer(() => arrived.resolve());
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock });
  const log: string[] = [];
  const stop = () => void log.push(server.listening ? "before the drain" : "after the drain");
  await using host = builder
    .addHttpServer(server, { name: "web" })
    .addHostedService(plain("s", [], { stop }))
    .build();
  await host.start();
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const failed = assert.rejects(fetch(`http://127.0.0.1:${address.port}/`));
  await arrived.promise;
  const stopped = host.stop();
  await clock.advance("10s");
  await stopped;
  await failed;
  assert.deepEqual(log, ["after the drain"]);
  assert.ok(logger.messages("warn").some((message) => /connections were cut/.test(message)));
});

test("a connection that was upgraded and stays open is cut when the time for draining is over, and is no failure", async () => {
  const server = createServer();
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  });
  const { builder, logger } = quiet();
  await using host = builder.addHttpServer(server, { name: "web", stopTimeout: 50 }).build();
  await host.start();
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  await once(socket, "data");
  const closed = once(socket.resume(), "close");
  await host.stop();
  await closed;
  assert.ok(logger.messages("warn").some((message) => /connections were cut/.test(message)));
});

test("warnings are told beside the checks of readiness, asked for once a minute, and never make it fail", async () => {
  const { builder, clock } = virtual();
  let asked = 0;
  const source = () => {
    asked++;
    if (asked === 3) throw new Error("the disk is gone");
    return asked === 1 ? ["The log has 900 MB."] : [];
  };
  await using host = builder.addHealthWarnings("store", source).build();
  await host.start();
  const detail = async (probe: Probe) => {
    const request = new Request(`http://localhost/${probe}`);
    const response = await host.health.handler(request, { detail: true });
    const { status, warnings } = (await response.json()) as { status: string; warnings?: unknown };
    return { code: response.status, status, warnings };
  };
  assert.deepEqual((await host.health.report("livez")).warnings, []);
  await statuses(host.health);
  assert.equal(asked, 0, "who does not see the answer does not cause the question");
  const large = [{ name: "store", message: "The log has 900 MB." }];
  assert.deepEqual(await detail("readyz"), { code: 200, status: "ok", warnings: large });
  assert.deepEqual((await host.health.report("readyz")).warnings, large);
  await clock.advance("59s");
  assert.deepEqual([(await host.health.report("readyz")).warnings, asked], [large, 1]);
  await clock.advance("2s");
  assert.deepEqual(await detail("readyz"), { code: 200, status: "ok", warnings: undefined });
  await clock.advance("61s");
  const unknown = "It is not known whether all is well: the disk is gone";
  assert.deepEqual(await detail("readyz"), {
    code: 200,
    status: "ok",
    warnings: [{ name: "store", message: unknown }],
  });
  assert.equal(asked, 3);
});

test("a source of warnings that does not answer is given up after three seconds", async () => {
  const { builder, clock } = virtual();
  await using host = builder.addHealthWarnings("store", () => new Promise(() => undefined)).build();
  await host.start();
  const report = host.health.report("readyz");
  await clock.advance("3s");
  const { ok, warnings } = await report;
  assert.deepEqual([ok, warnings[0]?.message], [true, "It is not known whether all is well: no answer within 3s"]);
});
