/** Background services: statements C-060 to C-072. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { aborted } from "../../src/hosting/abort.ts";
import { BackgroundService } from "../../src/hosting/index.ts";
import { errorOf, quiet, turns, untilAborted } from "./support.ts";

const never = () => new AbortController().signal;

class Waiting extends BackgroundService {
  readonly seen: boolean[] = [];
  stopping: AbortSignal | undefined;

  async execute(stopping: AbortSignal) {
    this.stopping = stopping;
    this.seen.push(stopping.aborted);
    await aborted(stopping);
  }
}

test("C-060 start resolves although execute has not finished", async () => {
  const service = new Waiting();
  await service.start(never());
  await turns();
  assert.deepEqual(service.seen, [false]);
  await service.stop(never());
});

test("C-061 stop without start does nothing", async () => {
  await new Waiting().stop(never());
});

test("C-062 stop aborts the stopping signal and resolves after execute has settled", async () => {
  const log: string[] = [];
  class Slow extends BackgroundService {
    async execute(stopping: AbortSignal) {
      await aborted(stopping);
      await turns(2);
      log.push("execute ended");
    }
  }
  const service = new Slow();
  await service.start(never());
  await turns();
  await service.stop(never());
  assert.deepEqual(log, ["execute ended"]);
});

test("C-063 when execute ignores the signal, stop resolves once its own signal is aborted", async () => {
  class Deaf extends BackgroundService {
    execute() {
      return new Promise<void>(() => undefined);
    }
  }
  const service = new Deaf();
  await service.start(never());
  const over = new AbortController();
  let stopped = false;
  const stop = service.stop(over.signal).then(() => (stopped = true));
  await turns();
  assert.equal(stopped, false);
  over.abort();
  await stop;
});

test("C-065 disposing after start aborts the stopping signal without throwing", async () => {
  const service = new Waiting();
  await service.start(never());
  await turns();
  service[Symbol.dispose]();
  assert.equal(service.stopping?.aborted, true);
  await service.execution;
});

test("C-066 aborting the start's signal after start has resolved cancels execute", async () => {
  const service = new Waiting();
  const start = new AbortController();
  await service.start(start.signal);
  await turns();
  start.abort();
  await service.execution;
  assert.equal(service.stopping?.aborted, true);
});

test("C-067 creating and disposing without a start does not throw", () => {
  new Waiting()[Symbol.dispose]();
});

test("C-068 ≠ start resolves before a synchronously blocking execute runs (a thread of its own: see the threaded service)", async () => {
  const log: string[] = [];
  class Blocking extends BackgroundService {
    execute() {
      log.push("execute");
    }
  }
  const { builder } = quiet();
  await using host = builder.addHostedService(Blocking).build();
  host.lifetime.onStarted(() => void log.push("started"));
  await host.start();
  await turns();
  assert.deepEqual(log, ["started", "execute"]);
});

test("C-069 stopped or disposed right after the start, execute still runs exactly once, with an aborted signal", async () => {
  for (const end of ["stop", "dispose"] as const) {
    const service = new Waiting();
    await service.start(never());
    if (end === "stop") await service.stop(never());
    else service[Symbol.dispose]();
    await service.execution;
    assert.deepEqual(service.seen, [true]);
  }
});

test("C-070 started with an aborted signal, execute never runs, and its execution is cancelled", async () => {
  const service = new Waiting();
  const reason = new Error("no");
  assert.equal(await errorOf(service.start(AbortSignal.abort(reason))), reason);
  assert.equal(await errorOf(Promise.resolve(service.execution)), reason);
  assert.deepEqual(service.seen, []);
});

test("C-071 an execute that fails at once does not reject the start", async () => {
  class Fails extends BackgroundService {
    execute(): never {
      throw new Error("boom");
    }
  }
  await using host = quiet().builder.addHostedService(Fails).build();
  await host.start();
  await turns();
  assert.equal(host.snapshot().services[0]?.state, "faulted");
  await assert.rejects(host.stop(), { message: "boom" });
});

test("C-072 an execute that returns early: the service is completed, the host runs on, the stop is quick", async () => {
  class Quick extends BackgroundService {
    async execute() {
      await turns(1);
    }
  }
  await using host = quiet().builder.addHostedService(Quick).build();
  await host.start();
  await turns(5);
  assert.equal(host.snapshot().services[0]?.state, "completed");
  assert.equal(host.snapshot().state, "running");
  assert.equal(host.lifetime.stopping.aborted, false);
  await host.stop();
  assert.equal(host.snapshot().services[0]?.state, "completed");
});

test("a background service can be started again after a stop, with a new signal", async () => {
  const service = new Waiting();
  for (let round = 0; round < 2; round++) {
    await service.start(never());
    await turns();
    await service.stop(never());
  }
  assert.deepEqual(service.seen, [false, false]);
});

test("an object with only an execute is a service", async () => {
  const { builder } = quiet();
  let signal: AbortSignal | undefined;
  builder.addHostedService({
    execute(stopping) {
      signal = stopping;
      return untilAborted(stopping);
    },
  });
  await using host = builder.build();
  await host.start();
  await turns();
  await host.stop();
  assert.equal(signal?.aborted, true);
  assert.equal(host.snapshot().services[0]?.state, "stopped");
});

test("under a host, the signal of a start that is over ends nothing any more", async () => {
  const { builder } = quiet();
  const start = new AbortController();
  await using host = builder.addHostedService(Waiting).build();
  await host.start({ signal: start.signal });
  await turns();
  start.abort();
  await turns();
  assert.equal(host.services.get(Waiting).stopping?.aborted, false);
  assert.equal(host.snapshot().services[0]?.state, "running");
  await host.stop();
});
