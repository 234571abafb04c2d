/** Background services that fail: statements C-073 to C-086. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { aborted } from "../../src/hosting/abort.ts";
import type { Executable, HostOptions } from "../../src/hosting/index.ts";
import { errorOf, plain, quiet, turns, untilAborted } from "./support.ts";

const failing = (error: unknown, turnsBefore = 0): Executable => ({
  async execute() {
    await turns(turnsBefore);
    throw error;
  },
});

const forEver: Executable = { execute: (stopping) => aborted(stopping) };

function hostOf(services: readonly Executable[], options: HostOptions = {}) {
  const { builder, logger } = quiet(options);
  services.forEach((service, index) => {
    builder.addHostedService(service, { name: `s${index}` });
  });
  return { host: builder.build(), logger };
}

test("C-073 C-074 execute throwing at once or later: run rejects with that very error", async () => {
  for (const service of [
    {
      execute(): never {
        throw boom;
      },
    },
    failing(new Error("boom"), 2),
  ]) {
    const { host } = hostOf([service, forEver]);
    await assert.rejects(host.run(), { message: "boom" });
  }
});
const boom = new Error("boom");

test("C-075 C-076 started by hand, stopping is asked for, and every stop rejects with the error", async () => {
  const { host } = hostOf([failing(boom)]);
  await host.start();
  await aborted(host.lifetime.stopping);
  assert.equal(await errorOf(host.stop()), boom);
  assert.equal(await errorOf(host.stop()), boom);
  await host[Symbol.asyncDispose]();
});

test("C-077 three failing services: run rejects with one error that carries exactly three", async () => {
  const { host } = hostOf([1, 2, 3].map((which) => failing(new Error(`boom ${which}`))));
  const error = await errorOf(host.run());
  assert.ok(error instanceof AggregateError);
  assert.deepEqual(
    error.errors.map(({ message }) => message),
    ["boom 1", "boom 2", "boom 3"],
  );
});

test("C-078 one that failed and one whose stop fails: one error that carries exactly two", async () => {
  const { builder } = quiet();
  builder.addHostedService(failing(boom), { name: "fails" });
  const stop = () => Promise.reject(new Error("stop failed"));
  builder.addHostedService(plain("s", [], { stop }), { name: "s" });
  const error = await errorOf(builder.build().run());
  assert.ok(error instanceof AggregateError);
  assert.deepEqual(
    error.errors.map(({ message }) => message),
    ["boom", "stop failed"],
  );
});

test("C-079 an execution that fails after its service's stop has resolved is still reported", async () => {
  let fail: (error: unknown) => void = () => undefined;
  const execution = new Promise<void>((_, reject) => (fail = reject));
  const { builder } = quiet();
  builder.addHostedService({ start: () => undefined, stop: () => undefined, execution }, { name: "late" });
  await using host = builder.build();
  await host.start();
  const stopped = errorOf(host.stop());
  await turns(5);
  fail(boom);
  assert.equal(await stopped, boom);
});

test("C-080 C-081 with onServiceFailure ignore the host runs on, and stops without an error", async () => {
  const { host, logger } = hostOf([failing(boom), forEver], { onServiceFailure: "ignore" });
  await host.start();
  await turns(5);
  assert.equal(host.lifetime.stopping.aborted, false);
  assert.equal(host.snapshot().services[0]?.state, "faulted");
  assert.equal(host.snapshot().services[0]?.lastError, boom);
  await host.stop();
  await host[Symbol.asyncDispose]();
  assert.equal(logger.messages("error").length, 1);
  const { host: another } = hostOf([failing(boom), forEver], { onServiceFailure: "ignore" });
  another.lifetime.onStarted(async () => {
    await turns(5);
    another.lifetime.stopApplication();
  });
  await another.run();
});

test("C-082 execute completing normally never rejects run", async () => {
  const { host } = hostOf([{ execute: () => turns(1) }], { stopWhenAllCompleted: true });
  await host.run();
});

test("C-083 a failure is logged once as an error; that the host is stopped because of it, once more", async () => {
  const { host, logger } = hostOf([failing(boom)]);
  await assert.rejects(host.run());
  const errors = logger.entries.filter(({ error }) => error === boom);
  assert.deepEqual(
    errors.map(({ level, name, message }) => [level, name, message]),
    [["error", "s0", "failed"]],
  );
  assert.equal(
    logger.messages("fatal").filter((message) => /stopped because a service failed/.test(message)).length,
    1,
  );
});

test("C-084 one failing and one healthy service: both had started, started and stopping fired", async () => {
  const begun: string[] = [];
  const { host } = hostOf([
    {
      execute() {
        begun.push("bad");
        return Promise.reject(boom);
      },
    },
    {
      execute(stopping) {
        begun.push("good");
        return aborted(stopping);
      },
    },
  ]);
  await assert.rejects(host.run(), boom);
  assert.deepEqual(begun, ["bad", "good"]);
  assert.equal(host.lifetime.started.aborted, true);
  assert.equal(host.lifetime.stopping.aborted, true);
});

test("C-085 an execute that is cancelled because of the stop logs nothing as an error", async () => {
  const { host, logger } = hostOf([{ execute: (stopping) => untilAborted(stopping) }]);
  await host.start();
  await turns();
  await host.stop();
  await host[Symbol.asyncDispose]();
  assert.deepEqual(
    logger.entries.filter(({ level }) => level === "error" || level === "fatal"),
    [],
  );
});

test("C-086 a cancellation error while nobody asked for a stop is a failure like any other", async () => {
  const cancelled = new DOMException("somebody else's timeout", "AbortError");
  const { host } = hostOf([failing(cancelled)]);
  assert.equal(await errorOf(host.run()), cancelled);
});

test("a failure while others are still starting is why the start rejects, not the cancellation that follows", async () => {
  const { builder } = quiet();
  builder.addHostedService(failing(boom), { name: "bad" });
  builder.addHostedService(plain("slow", [], { start: untilAborted }), { name: "slow" });
  await using host = builder.build();
  assert.equal(await errorOf(host.start()), boom);
});

test("a service can report a failure that no promise carries", async () => {
  const { builder } = quiet();
  let fail: (error: unknown) => void = () => undefined;
  builder.addHostedService({
    start(_signal, context) {
      fail = context.fail;
    },
    stop: () => undefined,
  });
  const host = builder.build();
  host.lifetime.onStarted(() => fail(boom));
  assert.equal(await errorOf(host.run()), boom);
});
