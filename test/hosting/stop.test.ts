/** Stopping: statements C-030 to C-048. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/time/index.ts";
import { disposable, errorOf, noting, plain, quiet, turns, untilAborted } from "./support.ts";

test("C-030 stop calls each started service's stop once, and does not dispose", async () => {
  const log: string[] = [];
  const Service = disposable(log);
  const { builder } = quiet();
  const host = builder.addHostedService(Service).build();
  await host.start();
  await host.stop();
  assert.deepEqual(log, ["start", "stop"]);
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["start", "stop", "dispose"]);
});

test("C-032 one after the other: while the last one's stop is pending the first one's has not been called", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { builder } = quiet();
  builder.addHostedService(plain("a", log), { name: "a" });
  builder.addHostedService(plain("b", log, { stop: () => gate.promise }), { name: "b" });
  await using host = builder.build();
  await host.start();
  const stopped = host.stop();
  await turns();
  assert.deepEqual(log.slice(2), ["b.stop"]);
  gate.resolve();
  await stopped;
  assert.deepEqual(log.slice(2), ["b.stop", "a.stop"]);
});

for (const [statement, phase] of [
  ["C-033", "stopping"],
  ["C-034", "stop"],
  ["C-035", "stopped"],
] as const) {
  test(`${statement} concurrently, both services enter ${phase} before either has finished it`, async () => {
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { builder } = quiet({ stopConcurrently: true });
    for (const name of ["a", "b"]) {
      builder.addHostedService(noting(name, log, { [phase]: () => gate.promise }), { name });
    }
    await using host = builder.build();
    await host.start();
    let settled = false;
    const stopped = host.stop().then(() => (settled = true));
    await turns();
    assert.deepEqual(log.slice(-2), [`b.${phase}`, `a.${phase}`]);
    assert.equal(settled, false);
    gate.resolve();
    await stopped;
  });
}

test("C-036 errors in all three phases: all three run, and one error carries them in that order", async () => {
  for (const late of [false, true]) {
    const log: string[] = [];
    const fail = (what: string) => () => {
      if (!late) throw new Error(what);
      return turns(1).then(() => Promise.reject(new Error(what)));
    };
    const does = { stopping: fail("1"), stop: fail("2"), stopped: fail("3") };
    const { builder } = quiet();
    await using host = builder.addHostedService(noting("s", log, does)).build();
    await host.start();
    const error = await errorOf(host.stop());
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map(({ message }) => message),
      ["1", "2", "3"],
    );
    assert.deepEqual(log.slice(3), ["s.stopping", "s.stop", "s.stopped"]);
  }
});

test("C-037 C-038 the shutdown timeout elapsing in a phase rejects the stop, one after the other or concurrently", async () => {
  for (const stopConcurrently of [false, true]) {
    for (const phase of ["stopping", "stop", "stopped"] as const) {
      const clock = new VirtualClock();
      const { builder } = quiet({ stopConcurrently, shutdownTimeout: "10s", clock });
      await using host = builder.addHostedService(noting("s", [], { [phase]: untilAborted })).build();
      await host.start();
      const stopped = assert.rejects(host.stop(), { code: "NS_TIMEOUT", message: /did not stop within 10s/ });
      await clock.advance("10s");
      await stopped;
    }
  }
});

test("C-039 cancelling the stop's own signal reaches the service at once", async () => {
  const { builder } = quiet({ clock: new VirtualClock() });
  await using host = builder.addHostedService(plain("s", [], { stop: untilAborted })).build();
  await host.start();
  const cancel = new AbortController();
  const stopped = host.stop({ signal: cancel.signal });
  await turns();
  cancel.abort();
  await assert.rejects(stopped, { name: "AbortError" });
});

test("C-040 C-041 the configured timeout aborts the stop when no signal does", async () => {
  for (const call of [{}, { signal: new AbortController().signal }]) {
    const clock = new VirtualClock();
    const { builder } = quiet({ clock });
    await using host = builder.addHostedService(plain("s", [], { stop: untilAborted })).build();
    await host.start();
    const stopped = assert.rejects(host.stop(call), { code: "NS_TIMEOUT", message: /within 25s/ });
    await clock.advance("25s");
    await stopped;
  }
});

test("C-042 stopping with an aborted signal and no services does not reject", async () => {
  await using host = quiet().builder.build();
  await host.start();
  await host.stop({ signal: AbortSignal.abort() });
});

test("C-043 the process lifetime is told once, after stopped has fired", async () => {
  const log: string[] = [];
  const { builder } = quiet({
    processLifetime: { stop: () => void log.push(`told ${host.lifetime.stopped.aborted}`) },
  });
  await using host = builder.build();
  await host.start();
  await Promise.all([host.stop(), host.stop()]);
  assert.deepEqual(log, ["told true"]);
});

test("C-044 C-045 stopping a host that never started calls no service; disposing disposes what was made", async () => {
  for (const ask of [false, true]) {
    const log: string[] = [];
    const Service = disposable(log);
    const host = quiet().builder.addHostedService(Service).build();
    host.services.get(Service);
    if (ask) host.lifetime.stopApplication();
    await host.stop();
    assert.equal(host.lifetime.stopped.aborted, true);
    await host[Symbol.asyncDispose]();
    assert.deepEqual(log, ["dispose"]);
  }
});

test("C-046 after the timeout the remaining services are still stopped, with an aborted signal", async () => {
  const log: string[] = [];
  const clock = new VirtualClock();
  const { builder } = quiet({ clock, shutdownTimeout: "1s" });
  for (const name of ["a", "b"]) {
    builder.addHostedService(plain(name, log, { stop: (signal) => void log.push(`aborted ${signal.aborted}`) }), {
      name,
    });
  }
  builder.addHostedService(plain("c", log, { stop: untilAborted }), { name: "c" });
  await using host = builder.build();
  await host.start();
  const stopped = assert.rejects(host.stop(), { code: "NS_TIMEOUT" });
  await clock.advance("1s");
  await stopped;
  assert.deepEqual(log.slice(3), ["c.stop", "b.stop", "aborted true", "a.stop", "aborted true"]);
});

test("C-047 ≠ a stop that ignores its signal is abandoned and named, and the others are stopped", async () => {
  const log: string[] = [];
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock, shutdownTimeout: "1s" });
  builder.addHostedService(plain("good", log), { name: "good" });
  const never = new Promise<void>(() => undefined);
  builder.addHostedService(plain("bad", log, { stop: () => never }), { name: "bad" });
  await using host = builder.build();
  await host.start();
  const stopped = assert.rejects(host.stop(), { code: "NS_SERVICE_ABANDONED", message: /bad did not finish its stop/ });
  await clock.advance("2s");
  await stopped;
  assert.deepEqual(log.slice(2), ["bad.stop", "good.stop"]);
  assert.equal(host.snapshot().services[1]?.state, "abandoned");
  assert.ok(logger.entries.some((entry) => entry.name === "bad" && /abandoned/.test(entry.message)));
});

test("C-048 ≠ stopping twice stops the services once, and both callers see the same end", async () => {
  const log: string[] = [];
  const boom = new Error("boom");
  const { builder } = quiet();
  await using host = builder.addHostedService(plain("s", log, { stop: () => Promise.reject(boom) })).build();
  await host.start();
  const both = await Promise.all([errorOf(host.stop()), errorOf(host.stop())]);
  assert.deepEqual(both, [boom, boom]);
  assert.equal(await errorOf(host.stop()), boom);
  assert.deepEqual(log, ["s.start", "s.stop"]);
});

test("a service's own stopTimeout ends its stop before the host's time is over", async () => {
  const log: string[] = [];
  const clock = new VirtualClock();
  const { builder } = quiet({ clock });
  builder.addHostedService(plain("a", log), { name: "a" });
  builder.addHostedService(plain("slow", log, { stop: untilAborted }), { name: "slow", stopTimeout: "2s" });
  await using host = builder.build();
  await host.start();
  const stopped = assert.rejects(host.stop(), { code: "NS_TIMEOUT", message: /slow's stop did not finish within 2s/ });
  await clock.advance("2s");
  await stopped;
  assert.deepEqual(log.at(-1), "a.stop");
});

test("the drain delay lets the application serve on, with stopping already known, before services stop", async () => {
  const log: string[] = [];
  const clock = new VirtualClock();
  const { builder } = quiet({ clock, drainDelay: "10s" });
  await using host = builder.addHostedService(plain("s", log)).build();
  await host.start();
  const stopped = host.stop();
  await clock.advance("9s");
  assert.equal(host.lifetime.stopping.aborted, true);
  assert.deepEqual(log, ["s.start"]);
  await clock.advance("1s");
  await stopped;
  assert.deepEqual(log, ["s.start", "s.stop"]);
});

test("a stop that takes longer than a person waits says once what it waits for", async () => {
  const clock = new VirtualClock();
  const gate = Promise.withResolvers<void>();
  const { builder, logger } = quiet({ clock });
  builder.addHostedService(plain("mailer", [], { stop: () => gate.promise }), { name: "mailer" });
  await using host = builder.build();
  await host.start();
  const stopped = host.stop();
  const said = () => logger.entries.filter(({ message }) => message.startsWith("still stopping"));
  await clock.advance("4s");
  assert.equal(said().length, 0);
  await clock.advance("10s");
  assert.deepEqual(
    said().map(({ message, facts }) => [message, facts["stillAt"]]),
    [["still stopping after 5s; after 25s it is given up", ["mailer's stop"]]],
  );
  gate.resolve();
  await stopped;
  assert.equal(clock.pendingTimers, 0);
});
