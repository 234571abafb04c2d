/** Starting: statements C-001 to C-029. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostOptions } from "../../src/hosting/index.ts";
import { token } from "../../src/services/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { disposable, errorOf, noting, type Phase, plain, quiet, turns, untilAborted } from "./support.ts";

const BOTH: readonly HostOptions[] = [{}, { startConcurrently: true, stopConcurrently: true }];

test("C-001 starting a host calls a service's start once, and neither stop nor disposal", async () => {
  const log: string[] = [];
  const Service = disposable(log);
  const { builder } = quiet();
  const host = builder.addHostedService(Service).build();
  await host.start();
  assert.deepEqual(log, ["start"]);
  await host[Symbol.asyncDispose]();
});

test("C-002 C-031 services start in registration order and stop in reverse, one after the other or concurrently", async () => {
  for (const options of BOTH) {
    for (const count of [1, 4, 10]) {
      const log: string[] = [];
      const { builder } = quiet(options);
      const names = Array.from({ length: count }, (_, index) => `s${index}`);
      for (const name of names) builder.addHostedService(plain(name, log), { name });
      await using host = builder.build();
      await host.start();
      await host.stop();
      const expected = [...names.map((name) => `${name}.start`), ...names.toReversed().map((name) => `${name}.stop`)];
      assert.deepEqual(log, expected);
    }
  }
});

test("C-003 the whole order of one start and stop", async () => {
  for (const options of BOTH) {
    const log: string[] = [];
    const { builder } = quiet({
      ...options,
      processLifetime: {
        waitForStart: () => void log.push("waitForStart"),
        stop: () => void log.push("lifetime.stop"),
      },
    });
    await using host = builder.addHostedService(noting("s", log)).build();
    host.lifetime.onStarted(() => void log.push("onStarted"));
    host.lifetime.onStopping(() => void log.push("onStopping"));
    host.lifetime.onStopped(() => void log.push("onStopped"));
    await host.start();
    await host.stop();
    const started = ["waitForStart", "s.starting", "s.start", "s.started", "onStarted"];
    const stopped = ["s.stopping", "onStopping", "s.stop", "s.stopped", "onStopped", "lifetime.stop"];
    assert.deepEqual(log, [...started, ...stopped]);
  }
});

test("C-004 one after the other: while the first start is pending the second has not been called", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { builder } = quiet();
  builder.addHostedService(plain("a", log, { start: () => gate.promise }), { name: "a" });
  await using host = builder.addHostedService(plain("b", log), { name: "b" }).build();
  const started = host.start();
  await turns();
  assert.deepEqual(log, ["a.start"]);
  gate.resolve();
  await started;
  assert.deepEqual(log, ["a.start", "b.start"]);
});

for (const [statement, phase] of [
  ["C-005", "starting"],
  ["C-006", "start"],
  ["C-007", "started"],
] as const) {
  test(`${statement} C-008 concurrently, both services enter ${phase} before either has finished it`, async () => {
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { builder } = quiet({ startConcurrently: true });
    for (const name of ["a", "b"]) {
      builder.addHostedService(noting(name, log, { [phase]: () => gate.promise }), { name });
    }
    await using host = builder.build();
    let settled = false;
    const started = host.start().then(() => (settled = true));
    await turns();
    assert.deepEqual(log.slice(-2), [`a.${phase}`, `b.${phase}`]);
    assert.equal(settled, false);
    gate.resolve();
    await started;
  });
}

test("C-009 no service starts until the process lifetime lets it", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { builder } = quiet({ processLifetime: { waitForStart: () => gate.promise } });
  await using host = builder.addHostedService(plain("s", log)).build();
  const started = host.start();
  await turns();
  assert.deepEqual(log, []);
  gate.resolve();
  await started;
  assert.deepEqual(log, ["s.start"]);
});

test("C-010 cancelling while the process lifetime waits: nothing starts, neither then nor later", async () => {
  const log: string[] = [];
  const Service = disposable(log);
  const gate = Promise.withResolvers<void>();
  const { builder } = quiet({ processLifetime: { waitForStart: () => gate.promise } });
  const host = builder.addHostedService(Service).build();
  const cancel = new AbortController();
  const started = host.start({ signal: cancel.signal });
  await turns();
  cancel.abort();
  await assert.rejects(started, { name: "AbortError" });
  gate.resolve();
  await turns();
  assert.deepEqual(log, []);
  host.services.get(Service);
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["dispose"]);
});

test("C-011 when the first of two services throws, start rejects with that very error and the second is not called", async () => {
  const log: string[] = [];
  const boom = new Error("boom");
  const { builder } = quiet();
  builder.addHostedService(plain("a", log, { start: () => Promise.reject(boom) }), { name: "a" });
  await using host = builder.addHostedService(plain("b", log), { name: "b" }).build();
  assert.equal(await errorOf(host.start()), boom);
  assert.deepEqual(log, ["a.start"]);
});

test("C-012 ≠ after a failed start what had started is stopped in reverse order", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  for (const name of ["a", "b"]) builder.addHostedService(plain(name, log), { name });
  builder.addHostedService(plain("c", log, { start: () => Promise.reject(new Error("boom")) }), { name: "c" });
  builder.addHostedService(plain("d", log), { name: "d" });
  await using host = builder.build();
  await assert.rejects(host.start(), { message: "boom" });
  assert.deepEqual(log, ["a.start", "b.start", "c.start", "b.stop", "a.stop"]);
  assert.equal(host.snapshot().state, "failed");
});

test("C-012 with onStartFailure abandon, disposing after a failed start calls no stop, as in .NET", async () => {
  const log: string[] = [];
  const { builder } = quiet({ onStartFailure: "abandon" });
  builder.addHostedService(plain("a", log), { name: "a" });
  builder.addHostedService(plain("b", log, { start: () => Promise.reject(new Error("boom")) }), { name: "b" });
  const host = builder.build();
  await assert.rejects(host.start(), { message: "boom" });
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["a.start", "b.start"]);
});

test("C-013 when start fails, started callbacks never run, and disposing does not fire stopping", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  builder.addHostedService(plain("a", log), { name: "a" });
  builder.addHostedService(plain("b", log, { start: () => Promise.reject(new Error("boom")) }), { name: "b" });
  const host = builder.build();
  host.lifetime.onStarted(() => void log.push("onStarted"));
  host.lifetime.onStopping(() => void log.push("onStopping"));
  await assert.rejects(host.start(), { message: "boom" });
  await host[Symbol.asyncDispose]();
  assert.equal(host.lifetime.started.aborted, false);
  assert.equal(host.lifetime.stopping.aborted, false);
  assert.deepEqual(
    log.filter((entry) => entry.startsWith("on")),
    [],
  );
});

for (const [statement, phase, called] of [
  ["C-014", "starting", ["s.starting"]],
  ["C-015", "start", ["s.starting", "s.start"]],
  ["C-016", "started", ["s.starting", "s.start", "s.started"]],
] as const) {
  test(`${statement} an error in ${phase} rejects the start, and later phases are not called`, async () => {
    for (const late of [false, true]) {
      const log: string[] = [];
      const boom = new Error("boom");
      const fail = () => {
        if (!late) throw boom;
        return turns(1).then(() => Promise.reject(boom));
      };
      const { builder } = quiet({ onStartFailure: "abandon" });
      await using host = builder.addHostedService(noting("s", log, { [phase]: fail })).build();
      assert.equal(await errorOf(host.start()), boom);
      assert.deepEqual(log, called);
    }
  });
}

test("C-017 a start check that throws rejects the start before any service is called", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  builder.addStartCheck(() => Promise.reject(new Error("the disk is read-only")));
  await using host = builder.addHostedService(noting("s", log)).build();
  await assert.rejects(host.start(), { message: "the disk is read-only" });
  assert.deepEqual(log, []);
});

test("C-018 C-019 the startup timeout elapsing in a phase rejects the start, one after the other or concurrently", async () => {
  for (const startConcurrently of [false, true]) {
    for (const phase of ["starting", "start", "started"] as const) {
      const clock = new VirtualClock();
      const { builder } = quiet({ startConcurrently, startupTimeout: "10s", clock });
      await using host = builder.addHostedService(noting("s", [], { [phase]: untilAborted })).build();
      const started = assert.rejects(host.start(), { code: "NS_TIMEOUT", message: /did not start within 10s/ });
      await clock.advance("10s");
      await started;
    }
  }
});

test("C-020 cancelling the start reaches the service; it is not stopped, and disposed once", async () => {
  const log: string[] = [];
  class Service {
    start(signal: AbortSignal) {
      log.push("start");
      return untilAborted(signal);
    }
    stop() {
      log.push("stop");
    }
    [Symbol.dispose]() {
      log.push("dispose");
    }
  }
  const { builder } = quiet();
  const host = builder.addHostedService(Service).build();
  const cancel = new AbortController();
  const started = host.start({ signal: cancel.signal });
  await turns();
  cancel.abort();
  await assert.rejects(started, { name: "AbortError" });
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["start", "dispose"]);
});

function twoSteps(log: string[]) {
  return plain("s", log, {
    async start(signal) {
      await turns(1);
      signal.throwIfAborted();
      log.push("s.completed");
    },
  });
}

test("C-021 cancelling between two steps of a start: it rejects and never completes", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  const cancel = new AbortController();
  await using host = builder.addHostedService(twoSteps(log)).build();
  const started = host.start({ signal: cancel.signal });
  while (log.length === 0) await Promise.resolve();
  cancel.abort();
  await assert.rejects(started, { name: "AbortError" });
  assert.deepEqual(log, ["s.start"]);
});

test("C-022 stopApplication during the start cancels it likewise", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  await using host = builder.addHostedService(twoSteps(log)).build();
  const started = host.start();
  while (log.length === 0) await Promise.resolve();
  host.lifetime.stopApplication();
  await assert.rejects(started, { code: "NS_ABORTED" });
  assert.deepEqual(log, ["s.start"]);
});

test("C-023 without cancellation an asynchronous start completes", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  await using host = builder.addHostedService(twoSteps(log)).build();
  await host.start();
  assert.deepEqual(log, ["s.start", "s.completed"]);
});

test("C-024 C-025 concurrently, all failures come in one error and nobody is skipped; a single one comes bare", async () => {
  const failing = async (count: number) => {
    const log: string[] = [];
    const { builder } = quiet({ startConcurrently: true, onStartFailure: "abandon" });
    for (let index = 0; index < 3; index++) {
      const start = () => (index < count ? Promise.reject(new Error(`boom ${index}`)) : turns(2));
      builder.addHostedService(plain(`s${index}`, log, { start }), { name: `s${index}` });
    }
    await using host = builder.build();
    const error = await errorOf(host.start());
    assert.deepEqual(log, ["s0.start", "s1.start", "s2.start"]);
    return error;
  };
  const both = await failing(2);
  assert.ok(both instanceof AggregateError);
  assert.deepEqual(
    both.errors.map(({ message }) => message),
    ["boom 0", "boom 1"],
  );
  const one = await failing(1);
  assert.ok(one instanceof Error && !(one instanceof AggregateError));
  assert.equal(one.message, "boom 0");
});

test("C-026 every service is constructed before the first start is called", async () => {
  const log: string[] = [];
  class First {
    constructor() {
      log.push("first constructed");
    }
    start() {
      log.push("first started");
    }
    stop() {
      log.push("first stopped");
    }
  }
  class Second extends First {
    constructor() {
      super();
      log.push("second constructed");
    }
  }
  const { builder } = quiet();
  builder.addHostedService(First).addHostedService(() => new Second(), { name: "made by a function" });
  await using host = builder.build();
  await host.start();
  const made = ["first constructed", "first constructed", "second constructed"];
  assert.deepEqual(log, [...made, "first started", "first started"]);
});

test("C-027 C-028 a host that was stopped, or asked to stop, does not start", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  await using host = builder.addHostedService(plain("s", log)).build();
  await host.start();
  await host.stop();
  await assert.rejects(host.start(), { code: "NS_ABORTED" });
  await using early = quiet().builder.addHostedService(plain("early", log)).build();
  early.lifetime.stopApplication();
  await assert.rejects(early.start(), { code: "NS_ABORTED" });
  assert.deepEqual(log, ["s.start", "s.stop"]);
});

test("a host that runs cannot be started again", async () => {
  await using host = quiet().builder.build();
  const first = host.start();
  await assert.rejects(host.start(), { code: "NS_HOST_STATE" });
  await first;
  await assert.rejects(host.start(), { code: "NS_HOST_STATE" });
});

test("asynchronous singletons are made before any service starts, and their failure is the start's", async () => {
  const log: string[] = [];
  const Db = token<string>("Db");
  const { builder } = quiet();
  builder.services.singleton(Db, [], async () => {
    await turns(1);
    log.push("db");
    return "db";
  });
  await using host = builder.addHostedService(noting("s", log)).build();
  await host.start();
  assert.deepEqual(log.slice(0, 2), ["db", "s.starting"] satisfies (Phase | string)[]);
  const broken = quiet().builder;
  broken.services.singleton(Db, [], async (): Promise<string> => Promise.reject(new Error("no database")));
  await using other = broken.build();
  await assert.rejects(other.start(), { message: "no database" });
});

test("a service that gives up its start late, after the application was asked to stop, is not waited for for ever", async () => {
  const clock = new VirtualClock();
  const { builder } = quiet({ clock });
  const never = new Promise<void>(() => undefined);
  await using host = builder.addHostedService(plain("s", [], { start: () => never }), { name: "stubborn" }).build();
  const started = assert.rejects(host.start(), { code: "NS_ABORTED" });
  await turns();
  host.lifetime.stopApplication();
  await clock.advance("5s");
  await started;
});

test("what failed to start is named in the log, also when it could not even be made", async () => {
  const boom = () => {
    throw new Error("no broker url");
  };
  for (const service of [boom, plain("consumer", [], { start: boom })]) {
    const { builder, logger } = quiet();
    builder.addHostedService(plain("other", []), { name: "other" }).addHostedService(service, { name: "consumer" });
    await assert.rejects(builder.build().run(), { message: "no broker url" });
    const entry = logger.entries.find(({ message }) => message === "the start failed: no broker url");
    assert.deepEqual(entry?.facts, { services: ["consumer"] });
  }
});

test("a start that takes too long says which service it was still at", async () => {
  const clock = new VirtualClock();
  const { builder } = quiet({ clock, startupTimeout: "3s" });
  builder.addHostedService(plain("quick", []), { name: "quick" });
  builder.addHostedService(plain("slow", [], { start: () => new Promise(() => undefined) }), { name: "slow" });
  const ran = assert.rejects(builder.build().run(), {
    code: "NS_TIMEOUT",
    message: /did not start within 3s\. It was still at slow's start\./,
  });
  await clock.advance("1m");
  await ran;
});
