import assert from "node:assert/strict";
import { test } from "node:test";
import { HostBuilder } from "../../src/hosting/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { startTestHost } from "../../src/testing/index.ts";
import { errorOf, plain } from "../hosting/support.ts";

test("a day passes in an instant, and everything due in it happens", async () => {
  let ticks = 0;
  await using app = await startTestHost((options) =>
    new HostBuilder(options).addTimedService("hourly", { every: "1h" }, () => void ticks++).build(),
  );
  await app.advance("1d");
  assert.equal(ticks, 24);
  assert.equal(app.clock.now(), Date.parse("2026-01-02T00:00:00Z"));
});

test("until waits for a state, and tells what it is instead", async () => {
  await using app = await startTestHost((options) => {
    const builder = new HostBuilder(options);
    let runs = 0;
    const execute = (stopping: AbortSignal) =>
      runs++ === 0
        ? Promise.reject(new Error("boom"))
        : new Promise<void>((resolve) => stopping.addEventListener("abort", () => resolve()));
    return builder.addHostedService({ execute }, { name: "worker", restart: "on-failure" }).build();
  });
  await app.until("worker", "backing-off");
  const back = app.until("worker", "running");
  await app.advance("1s");
  await back;
  assert.match(
    String(await errorOf(app.until("worker", "faulted", { within: 20 }))),
    /not faulted within 20ms; it is running/,
  );
  assert.match(String(await errorOf(app.until("wroker", "running"))), /no service "wroker"; there are worker/);
  assert.match(String(app.logger.entries.find(({ level }) => level === "error")?.error), /boom/);
});

test("stopping moves the clock as far as it needs, and a stop that failed is told at the end of the block", async () => {
  const never = new Promise<void>(() => undefined);
  const use = async () => {
    await using _app = await startTestHost((options) =>
      new HostBuilder(options).addHostedService(plain("s", [], { stop: () => never }), { name: "stubborn" }).build(),
    );
  };
  await assert.rejects(use(), { code: "NS_SERVICE_ABANDONED", message: /stubborn/ });
});

test("a start that fails is told, and the host is disposed", async () => {
  let disposed = false;
  class Fails {
    start() {
      throw new Error("boom");
    }
    stop() {
      assert.fail();
    }
    [Symbol.dispose]() {
      disposed = true;
    }
  }
  await assert.rejects(
    startTestHost((options) => new HostBuilder(options).addHostedService(Fails).build()),
    { message: "boom" },
  );
  assert.equal(disposed, true);
});

test("a test host that lives too long is stopped, and says so", async () => {
  const use = async () => {
    await using app = await startTestHost((options) => new HostBuilder(options).build(), { timeToLive: 20 });
    await new Promise<void>((resolve) => app.host.lifetime.stopping.addEventListener("abort", () => resolve()));
    await app.advance("1s");
  };
  await assert.rejects(use(), /lived longer than 20ms/);
});

test("what is wrong with the way it is used is told at once, not by a test that hangs", async () => {
  const plain = { signals: false, configuration: false, logger: silentLogger } as const;
  await assert.rejects(
    startTestHost(() => new HostBuilder(plain).build()),
    { code: "NS_OPTION_INVALID", message: /has another clock\. Pass on the options/ },
  );
  await assert.rejects(
    startTestHost((options) => new HostBuilder(options) as never),
    {
      code: "NS_OPTION_INVALID",
      message: /Give back builder\.build\(\)/,
    },
  );
  await assert.rejects(
    startTestHost((options) => new HostBuilder(options).build(), { timeToLve: "1s" } as never),
    {
      code: "NS_OPTION_UNKNOWN",
      message: /Did you mean "timeToLive"/,
    },
  );
  await using app = await startTestHost((options) => new HostBuilder(options).build());
  await assert.rejects(app.until("s", "complete" as never), { message: /There is no state "complete"/ });
});

test("a test host that lived too long has stopped, though the test waits for something else", async () => {
  const app = await startTestHost((options) => new HostBuilder(options).build(), { timeToLive: 20 });
  await new Promise<void>((resolve) => {
    app.host.events.on("host", ({ to }) => {
      if (to === "stopped") resolve();
    });
  });
  await assert.rejects(async () => app[Symbol.asyncDispose](), { code: "NS_TIMEOUT" });
});
