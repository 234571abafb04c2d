/** Signals and exit codes, with real processes: statements C-064 and C-087 to C-095. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BackgroundService } from "../../src/hosting/index.ts";
import { startNode } from "../support/child.ts";
import { plain, quiet } from "./support.ts";

const PROGRAM = join(import.meta.dirname, "programs", "process.ts");

async function ended(what: string, signals: readonly NodeJS.Signals[] = []) {
  await using child = startNode([PROGRAM, what]);
  if (signals.length > 0) await child.until(/ready/);
  for (const [index, signal] of signals.entries()) {
    if (index > 0) await child.until(/asked to stop/);
    child.process.kill(signal);
  }
  const { code, signal } = await child.ended;
  return { code, signal, output: child.output() };
}

test("C-064 ≠ a listener of the stopping signal that throws ends the application with its error, after a graceful stop", async () => {
  const { code, output } = await ended("listener-throws", ["SIGTERM"]);
  assert.equal(code, 1);
  assert.match(output, /a listener threw/);
  assert.match(output, /stopped/);
});

test("C-087 the process ends with code 1 when run rejects", async () => {
  const { code, output } = await ended("fails");
  assert.equal(code, 1);
  assert.match(output, /the service failed/);
});

test("a start that fails is told with its service in the log and with its stack by the rejection, once each", async () => {
  const { code, output } = await ended("start-fails");
  assert.equal(code, 1);
  assert.match(output, /ERROR program: the start failed: no broker url services=.*broker/);
  assert.equal(output.match(/\bat .*connectsToTheBroker/g)?.length, 1, output);
});

test("C-088 SIGTERM, SIGINT and SIGQUIT stop gracefully; the program goes on after run, and its own exit code counts", async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    const { code, output } = await ended("exit-123", [signal]);
    assert.equal(code, 123);
    assert.match(output, /stopped[\s\S]*after run/);
  }
});

test("C-089 process.exit inside execute ends the process with its code", async () => {
  assert.equal((await ended("exit-124")).code, 124);
});

test("C-090 process.exit in the synchronous part of execute does not hang", async () => {
  assert.equal((await ended("exit-125-short")).code, 125);
});

test("C-091 on SIGINT the callbacks run in order and the process ends with code 0, by run and by waitForShutdown", async () => {
  for (const how of ["callbacks-run", "callbacks-wait"]) {
    const { code, output } = await ended(how, ["SIGINT"]);
    const lines = output.split("\n").filter((line) => /^Stop/.test(line));
    assert.deepEqual(lines, ["Stopping firing", "Stopping end", "Stopped firing", "Stopped end"]);
    assert.equal(code, 0);
  }
});

test("C-092 the start is told with environment and folder; with lifetimeMessages off nothing is", async () => {
  for (const lifetimeMessages of [true, false]) {
    const { builder, logger } = quiet({ lifetimeMessages, name: "shop" });
    await using host = builder.build();
    await host.start();
    const [started] = logger.entries;
    if (lifetimeMessages) {
      assert.equal(started?.message, "started");
      assert.equal(started.name, "shop");
      assert.equal(started.facts["environment"], "Production");
      assert.equal(started.facts["folder"], process.cwd());
    } else assert.equal(logger.entries.length, 0);
  }
});

test("C-093 when the start fails, started is not logged, and the failure is", async () => {
  const { builder, logger } = quiet();
  const start = () => Promise.reject(new Error("boom"));
  await using host = builder.addHostedService(plain("s", [], { start })).build();
  await assert.rejects(host.start());
  assert.deepEqual(logger.messages(), ["the start failed: boom"]);
});

test("C-094 signal handlers are gone after the stop, and after a disposal without one", async () => {
  const EVENTS = ["SIGINT", "SIGTERM", "SIGQUIT", "uncaughtException", "unhandledRejection"];
  const count = () => EVENTS.map((event) => process.listenerCount(event));
  const before = count();
  for (const stop of [true, false]) {
    const { builder } = quiet();
    const host = builder.configure({ signals: ["SIGINT", "SIGTERM", "SIGQUIT"] }).build();
    await host.start();
    assert.deepEqual(
      count(),
      before.map((each) => each + 1),
    );
    if (stop) await host.stop();
    else await host[Symbol.asyncDispose]();
    assert.deepEqual(count(), before);
    await host[Symbol.asyncDispose]();
  }
});

test("C-095 ≠ a second signal during the shutdown exits at once with 128 + its number", async () => {
  const { code, output } = await ended("hangs", ["SIGTERM", "SIGTERM"]);
  assert.equal(code, 143);
  assert.match(output, /asked again: leaving at once.*Waits's stop/);
  assert.equal((await ended("hangs", ["SIGTERM", "SIGINT"])).code, 130);
});

test("a service that hangs in its stop does not keep the process: it is named, and the code is 1", async () => {
  const { code, output } = await ended("hangs-short", ["SIGTERM"]);
  assert.equal(code, 1);
  assert.match(output, /Waits: abandoned/);
});

test("an error that nobody caught, or a rejection that nobody handled, stops gracefully with code 1", async () => {
  for (const what of ["uncaught", "unhandled"]) {
    const { code, output } = await ended(what);
    assert.equal(code, 1);
    assert.match(output, /nobody (caught|handled) this[\s\S]*stopped/);
  }
  const kept = await ended("uncaught-kept");
  assert.equal(kept.code, 1);
  assert.match(kept.output, /caught by the caller/);
});

test("a signal or an uncaught error ends a host that was only started, as Node would have without it", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { code, output } = await ended("start-only", [signal]);
    assert.equal(code, 0, output);
    assert.match(output, /stopping.*was received[\s\S]*stopped/);
  }
  const uncaught = await ended("start-only-uncaught");
  assert.equal(uncaught.code, 1);
  assert.match(uncaught.output, /nobody caught this[\s\S]*stopped/);
  const failed = await ended("start-only-hangs-short", ["SIGTERM"]);
  assert.equal(failed.code, 1);
  assert.match(failed.output, /ended with this error[\s\S]*NS_SERVICE_ABANDONED: Waits/);
});

test("a host whose services only wait keeps the process alive until a signal comes", async () => {
  await using child = startNode([PROGRAM, "waits"]);
  await child.until(/ready/);
  assert.equal(child.process.exitCode, null);
  child.process.kill("SIGTERM");
  assert.equal((await child.ended).code, 0);
});

test("signals false installs no handlers", async () => {
  class Idle extends BackgroundService {
    async execute() {
      await Promise.resolve();
    }
  }
  const before = process.listenerCount("SIGTERM");
  await using host = quiet().builder.addHostedService(Idle).build();
  await host.start();
  assert.equal(process.listenerCount("SIGTERM"), before);
});
