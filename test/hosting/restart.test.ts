import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { aborted } from "../../src/hosting/abort.ts";
import type { HostedService, HostOptions, ServiceContext, ServiceGroupOptions } from "../../src/hosting/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { noting, plain, quiet, turns } from "./support.ts";

/** A host on virtual time whose back-offs take half of a second. */
function setting(options: HostOptions = {}) {
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock, random: () => 0.5, ...options });
  return { clock, builder, logger };
}

const RESTART = { policy: "on-failure", backoff: "1s" } as const;

/** A service that notes its phases, and gives its context to the test so that it can be made to fail. */
function failing(name: string, log: string[]) {
  const own: { context: ServiceContext | undefined } = { context: undefined };
  const service: HostedService = {
    ...noting(name, log),
    start(_signal, context) {
      log.push(`${name}.start`);
      own.context = context;
    },
  };
  return { service, fail: (message = "boom") => own.context?.fail(new Error(message)) };
}

test("a service that failed is stopped before it is started again, all phases of it, and stopped once at the end", async () => {
  const { clock, builder } = setting();
  const log: string[] = [];
  const { service, fail } = failing("s", log);
  await using host = builder.addHostedService(service, { name: "s", restart: RESTART }).build();
  await host.start();
  fail();
  fail("its run is over: this no longer counts");
  await turns();
  const once = ["s.starting", "s.start", "s.started", "s.stopping", "s.stop", "s.stopped"];
  assert.deepEqual(log, once);
  assert.equal(host.snapshot().services[0]?.state, "backing-off");
  await clock.advance("1s");
  assert.deepEqual(log, [...once, ...once.slice(0, 3)]);
  assert.equal(host.snapshot().services[0]?.restarts, 1);
  await host.stop();
  assert.deepEqual(log, [...once, ...once]);
});

test("a service that is stopped while it waits for its restart gets no second stop", async () => {
  const { builder } = setting();
  const log: string[] = [];
  const { service, fail } = failing("s", log);
  await using host = builder.addHostedService(service, { name: "s", restart: RESTART }).build();
  await host.start();
  fail();
  await turns();
  assert.equal(log.at(-1), "s.stopped");
  await host.stop();
  assert.equal(log.filter((line) => line === "s.stop").length, 1);
  assert.equal(host.snapshot().services[0]?.state, "stopped");
});

test("an execute that reported a failure and goes on is ended before it runs again: there are never two", async () => {
  const { clock, builder } = setting();
  let [running, most, runs] = [0, 0, 0];
  builder.addHostedService(
    {
      async execute(stopping, context) {
        most = Math.max(most, ++running);
        if (runs++ === 0) context.fail(new Error("the connection is gone"));
        await aborted(stopping);
        running--;
      },
    },
    { name: "s", restart: RESTART },
  );
  await using host = builder.build();
  await host.start();
  await clock.advance("5s");
  assert.deepEqual([runs, running, most], [2, 1, 1]);
  await host.stop();
});

test("one that does not leave before its restart is abandoned and fails for good, instead of running twice", async () => {
  const { clock, builder } = setting();
  builder.addHostedService(
    {
      execute: (_stopping, context) => {
        context.fail(new Error("stuck"));
        return new Promise(() => undefined);
      },
    },
    { name: "s", restart: RESTART, stopTimeout: "2s" },
  );
  const ran = assert.rejects(builder.build().run(), (error: AggregateError) => {
    assert.match(String(error.errors?.[0] ?? error), /NS_SERVICE_ABANDONED: s did not finish its stop in time/);
    return true;
  });
  await clock.advance("1m");
  await ran;
});

test("a restart keeps an instance that others may hold, and makes what a function makes anew, the old one disposed", async () => {
  const { clock, builder } = setting();
  const log: string[] = [];
  let made = 0;
  const service = (name: string) => ({
    async execute(stopping: AbortSignal, context: ServiceContext) {
      log.push(`${name} runs`);
      if (log.filter((line) => line === `${name} runs`).length === 1 && !name.endsWith("2")) {
        context.fail(new Error("boom"));
      }
      await aborted(stopping);
    },
    async [Symbol.asyncDispose]() {
      log.push(`${name} disposed`);
    },
  });
  builder.addHostedService(service("kept"), { name: "kept", restart: RESTART });
  builder.addHostedService(() => service(`made ${++made}`), { name: "made", restart: RESTART });
  const host = builder.build();
  await host.start();
  await clock.advance("5s");
  assert.deepEqual(log, ["kept runs", "made 1 runs", "kept runs", "made 1 disposed", "made 2 runs"]);
  await host.stop();
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log.slice(5), ["made 2 disposed"]);
});

test("what a function makes is disposed with the host, before what it was made with", async () => {
  const { builder } = setting();
  const log: string[] = [];
  class Pool {
    [Symbol.dispose]() {
      log.push("pool disposed");
    }
  }
  builder.services.singleton(Pool);
  builder.addHostedService(
    (services) => {
      services.get(Pool);
      return { ...plain("s", log), [Symbol.asyncDispose]: async () => void log.push("s disposed") };
    },
    { name: "s" },
  );
  const host = builder.build();
  await host.start();
  await host.stop();
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["s.start", "s.stop", "s disposed", "pool disposed"]);
});

test("a function that gives nothing that can run is why the start rejects", async () => {
  const { builder } = setting();
  builder.addHostedService((() => ({ strat: true })) as never, { name: "s" });
  await using host = builder.build();
  await assert.rejects(host.start(), {
    code: "NS_SERVICE_INVALID",
    message: /The service s is \{ strat: true \}\. Give something with start and stop/,
  });
});

/** Members a, b, c of one group. */
function grouped(group: ServiceGroupOptions["strategy"] | ServiceGroupOptions, options: HostOptions = {}) {
  const { clock, builder, logger } = setting(options);
  const log: string[] = [];
  builder.addServiceGroup("pipeline", group);
  const member = (name: string) => {
    const { service, fail } = failing(name, log);
    const { starting: _1, started: _2, stopping: _3, stopped: _4, ...bare } = service;
    builder.addHostedService(bare, { name, group: "pipeline", restart: RESTART });
    return fail;
  };
  const members = { a: member("a"), b: member("b"), c: member("c") };
  const host = builder.build();
  const states = () => host.snapshot().services.map(({ state }) => state);
  return { clock, logger, log, host, states, ...members };
}

const STARTED = ["a.start", "b.start", "c.start"];
const STOPPED = ["c.stop", "b.stop", "a.stop"];

test("members that fail together of one cause are one restart, and all of them run again", async () => {
  for (const strategy of ["one-for-all", "rest-for-one"] as const) {
    const { clock, log, host, states, a, b, c } = grouped({ strategy, maxRestarts: 1, within: "1m" });
    await using _ = host;
    await host.start();
    for (const fail of [b, c, a]) fail();
    await turns();
    assert.deepEqual(states(), ["backing-off", "backing-off", "backing-off"]);
    await clock.advance("5s");
    assert.deepEqual(states(), ["running", "running", "running"]);
    assert.deepEqual(log, [...STARTED, ...STOPPED, ...STARTED]);
    await host.stop();
  }
});

test("a member that fails while its group is being started again begins another restart of all", async () => {
  const { clock, builder } = setting();
  const log: string[] = [];
  builder.addServiceGroup("pipeline", "one-for-all");
  const starts: Record<string, number> = { a: 0, b: 0, c: 0 };
  const contexts: Record<string, ServiceContext> = {};
  for (const name of ["a", "b", "c"]) {
    const service: HostedService = {
      start(_signal, context) {
        contexts[name] = context;
        const count = (starts[name] = (starts[name] ?? 0) + 1);
        log.push(`${name}.start`);
        if (name === "b" && count === 2) throw new Error("not yet");
      },
      stop: () => void log.push(`${name}.stop`),
    };
    builder.addHostedService(service, { name, group: "pipeline", restart: RESTART });
  }
  await using host = builder.build();
  await host.start();
  contexts["a"]?.fail(new Error("boom"));
  await clock.advance("10s");
  // b's second start fails: c, not begun yet, waits; a is stopped again; then all three start.
  assert.deepEqual(log, [...STARTED, ...STOPPED, "a.start", "b.start", "a.stop", ...STARTED]);
  assert.ok(host.snapshot().services.every(({ state }) => state === "running"));
  await host.stop();
  assert.deepEqual(log.slice(-3), STOPPED);
});

test("a group that is restarted too often, whoever failed, stops the host with the last error", async () => {
  const { clock, logger, host, a, b } = grouped({ strategy: "one-for-one", maxRestarts: 2, within: "1m" });
  const ran = assert.rejects(host.run(), { message: "third" });
  await clock.advance(0);
  for (const [fail, message] of [
    [a, "first"],
    [b, "second"],
    [a, "third"],
  ] as const) {
    fail(message);
    await clock.advance("5s");
  }
  await ran;
  const told = "failed, and its group pipeline stays down: it was restarted 2 times within 1m";
  assert.ok(logger.messages("error").includes(told));
});

test("with escalate give-up the whole group stays down, and says why; the others run on", async () => {
  const { clock, log, host, states, a, b } = grouped({
    ...{ strategy: "one-for-one", maxRestarts: 1, within: "1m", escalate: "give-up" },
  });
  await using _ = host;
  await host.start();
  a();
  await clock.advance("5s");
  b();
  await clock.advance("1h");
  assert.deepEqual(states(), ["faulted", "faulted", "faulted"]);
  assert.equal(host.lifetime.stopping.aborted, false);
  const reason = String(host.snapshot().services[2]?.lastError);
  assert.match(reason, /The group pipeline stays down: it was restarted once within 1m, the last time because of b/);
  assert.equal(log.filter((line) => line === "c.stop").length, 1);
  await host.stop();
});

test("restarts of a group that are older than its window are forgotten", async () => {
  const { clock, host, states, b } = grouped({ strategy: "one-for-all", maxRestarts: 1, within: "1m" });
  await using _ = host;
  await host.start();
  for (let time = 0; time < 3; time++) {
    b();
    await clock.advance("61s");
    assert.deepEqual(states(), ["running", "running", "running"]);
  }
  await host.stop();
});

test("a host that stops in the middle of a group's restart stops everybody once, and starts nobody again", async () => {
  const { clock, log, host, states, b } = grouped("one-for-all");
  await using _ = host;
  await host.start();
  b();
  await turns();
  await host.stop();
  await clock.advance("1m");
  assert.deepEqual(log, [...STARTED, ...STOPPED]);
  assert.deepEqual(states(), ["stopped", "stopped", "stopped"]);
});

test("what is wrong with a group is told at build", () => {
  const { builder } = setting();
  builder.addServiceGroup("one", { strategy: "all-for-one", maxRestart: 3, within: "soon" } as never);
  builder.addServiceGroup("two", { strategy: "one-for-one", maxRestarts: -1 });
  builder.addServiceGroup("two", "one-for-all");
  assert.throws(
    () => builder.build(),
    (error: Error) => {
      for (const expected of [
        /The service group two was declared twice/,
        /The service group one has no option "maxRestart"\. Did you mean "maxRestarts"\?/,
        /one's strategy is "all-for-one"\. Give one of "one-for-one", "one-for-all", "rest-for-one"/,
        /The service group one's within/,
      ])
        assert.match(error.message, expected);
      return true;
    },
  );
});

test("an HTTP server and a queue can be restarted with their group", async () => {
  const { builder } = quiet({ random: () => 0 });
  const server = createServer((_request, response) => void response.end("hello"));
  builder.addServiceGroup("front", "one-for-all");
  builder.addHttpServer(server, { name: "web", group: "front", restart: "on-failure" });
  const done: string[] = [];
  const queue = builder.addBackgroundQueue<string>({
    ...{ name: "queue", group: "front", restart: "on-failure", run: (item) => void done.push(item) },
  });
  await using host = builder.build();
  await host.start();
  const listening = new Promise<void>((resolve) => server.once("listening", resolve));
  server.emit("error", new Error("out of sockets"));
  await listening;
  const restarted = Promise.withResolvers<void>();
  using _listening = host.events.on("service", ({ service, to }) => {
    if (service === "queue" && to === "running") restarted.resolve();
  });
  if (host.snapshot().services[1]?.state !== "running") await restarted.promise;
  const { port } = server.address() as AddressInfo;
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello");
  await queue.enqueue("after the restart");
  await host.stop();
  assert.deepEqual(done, ["after the restart"]);
});
