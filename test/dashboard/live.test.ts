/** The live stream: one set of numbers a second for everybody, nothing when nobody listens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CreateDashboardOptions, createDashboard, type OverviewView } from "../../src/dashboard/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { get } from "../support/ask-dashboard.ts";

function counting(): { readonly store: Store; readonly calls: () => number } {
  let calls = 0;
  const store = new Proxy(memory(), {
    get(target, name) {
      if (name === "counts") calls += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { store, calls: () => calls };
}

/** The events of a stream, one by one. */
async function* events(response: Response): AsyncGenerator<{ event: string; data: OverviewView }> {
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [first = "", second = ""] = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      if (first.startsWith("event: ")) {
        yield { event: first.slice(7), data: JSON.parse(second.slice(6)) as OverviewView };
      }
    }
  }
}

async function next(stream: AsyncGenerator<{ event: string; data: OverviewView }>) {
  const { value, done } = await stream.next();
  assert.ok(!done, "the stream ended");
  return value as { event: string; data: OverviewView };
}

describe("the live stream", () => {
  const setUp = (options: Partial<CreateDashboardOptions> = {}) => {
    const clock = new VirtualClock();
    const { store, calls } = counting();
    return { clock, store, calls, dashboard: createDashboard({ store, clock, ...options }) };
  };

  it("sends the numbers at once, and then each second what they are", async () => {
    const { clock, store, dashboard } = setUp();
    const stream = events(await get(dashboard, "/api/live"));
    await clock.advance(0);
    assert.deepEqual((await next(stream)).data.queues, []);
    await store.enqueue([{ name: "n", queue: "q", priority: 0, input: "{}", maxAttempts: 1, maxCrashes: 1 }]);
    await clock.advance("1s");
    const { event, data } = await next(stream);
    assert.equal(event, "overview");
    assert.equal(data.queues[0]?.ready, 1);
    await dashboard.close();
  });

  it("asks the store once for all who listen, and not at all for nobody", async () => {
    const { clock, calls, dashboard } = setUp();
    const answers = await Promise.all([1, 2, 3].map(() => get(dashboard, "/api/live")));
    const streams = answers.map((answer) => events(answer));
    await clock.advance(0);
    for (const stream of streams) await next(stream);
    assert.equal(calls(), 1);
    await clock.advance("1s");
    for (const stream of streams) await next(stream);
    assert.equal(calls(), 2);
    for (const stream of streams) await stream.return(undefined);
    await clock.advance("10s");
    const after = calls();
    assert.ok(after <= 3);
    await clock.advance("1m");
    assert.equal(calls(), after);
    assert.equal(clock.pendingTimers, 0);
    await dashboard.close();
  });

  it("drops who does not read, and ends a connection after its time so that it is judged anew", async () => {
    const { clock, dashboard } = setUp();
    const idle = await get(dashboard, "/api/live");
    await clock.advance("20s");
    assert.equal(clock.pendingTimers, 0, "nobody is left to send to");
    const text = await idle.text();
    assert.ok(text.split("event: overview").length <= 7);

    const stream = events(await get(dashboard, "/api/live"));
    await clock.advance(0);
    await next(stream);
    let ended = false;
    for (let second = 0; second < 700 && !ended; second++) {
      await clock.advance("1s");
      ended = (await stream.next()).done === true;
    }
    assert.ok(ended);
    await dashboard.close();
  });

  it("says that there is trouble, and goes on when it is over", async () => {
    let broken = true;
    const inner = memory();
    const store = new Proxy(inner, {
      get(target, name) {
        if (name === "counts" && broken) return () => Promise.reject(new Error("no"));
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { clock, dashboard } = setUp({ store });
    const stream = events(await get(dashboard, "/api/live"));
    await clock.advance(0);
    assert.equal((await next(stream)).event, "trouble");
    broken = false;
    await clock.advance("1s");
    assert.equal((await next(stream)).event, "overview");
    await dashboard.close();
  });

  it("ends for everybody when the dashboard closes", async () => {
    const { clock, dashboard } = setUp();
    const stream = events(await get(dashboard, "/api/live"));
    await clock.advance(0);
    await next(stream);
    await dashboard.close();
    assert.equal((await stream.next()).done, true);
    assert.equal(clock.pendingTimers, 0);
  });
});
