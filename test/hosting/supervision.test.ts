import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Problems } from "../../src/errors/index.ts";
import { aborted } from "../../src/hosting/abort.ts";
import type { Executable, HostOptions, ServiceOptions } from "../../src/hosting/index.ts";
import { decide, type RestartPolicy, readSupervision } from "../../src/hosting/supervision.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { errorOf, plain, quiet } from "./support.ts";

const read = (given: RestartPolicy) => readSupervision(given, "stop-host", "s", new Problems());

/** A service whose runs do one thing after the other, noting when each began. */
function scripted(clock: VirtualClock, script: readonly ("fail" | "end" | "wait")[]) {
  const begun: number[] = [];
  const service: Executable = {
    async execute(stopping) {
      const what = script[Math.min(begun.length, script.length - 1)];
      begun.push(clock.monotonic());
      if (what === "fail") throw new Error(`boom ${begun.length}`);
      if (what === "wait") await aborted(stopping);
    },
  };
  return { begun, service };
}

function supervised(script: readonly ("fail" | "end" | "wait")[], options: ServiceOptions, host: HostOptions = {}) {
  const clock = new VirtualClock();
  const { begun, service } = scripted(clock, script);
  const { builder, logger } = quiet({ clock, random: () => 0.5, ...host });
  builder.addHostedService(service, { name: "s", ...options });
  return { clock, begun, logger, host: builder.build() };
}

test("on-failure starts a failed service again, after a back-off that grows, and not a completed one", async () => {
  const { clock, begun, host } = supervised(["fail", "fail", "fail", "end"], { restart: "on-failure" });
  await using _ = host;
  await host.start();
  await clock.advance("1m");
  // Half of 1 s, 2 s, 4 s: the random number stands at one half.
  assert.deepEqual(begun, [0, 500, 1_500, 3_500]);
  const [service] = host.snapshot().services;
  assert.equal(service?.state, "completed");
  assert.equal(service?.restarts, 3);
  assert.match(String(service?.lastError), /boom 3/);
  assert.equal(host.lifetime.stopping.aborted, false);
  await host.stop();
});

test("always starts a completed service again too; never starts none", async () => {
  const always = supervised(["end", "wait"], { restart: { policy: "always", backoff: "2s" } });
  await always.host.start();
  await always.clock.advance("5s");
  assert.deepEqual(always.begun, [0, 1_000]);
  await always.host.stop();
  await always.host[Symbol.asyncDispose]();
  const never = supervised(["fail"], { restart: "never" });
  assert.match(String(await errorOf(never.host.run())), /boom 1/);
  assert.deepEqual(never.begun, [0]);
});

test("too many restarts within the window escalate: the host stops with the last error, or the service stays dead", async () => {
  const policy = { policy: "on-failure", maxRestarts: 3, within: "1m", backoff: "1s" } as const;
  const fatal = supervised(["fail"], { restart: policy });
  const ran = errorOf(fatal.host.run());
  await fatal.clock.advance("1m");
  assert.match(String(await ran), /boom 4/);
  assert.equal(fatal.begun.length, 4);
  const dead = supervised(["fail"], { restart: { ...policy, escalate: "give-up" } });
  await dead.host.start();
  await dead.clock.advance("10m");
  assert.equal(dead.begun.length, 4);
  assert.equal(dead.host.snapshot().services[0]?.state, "faulted");
  await dead.host.stop();
  await dead.host[Symbol.asyncDispose]();
});

test("a service that is backing off when the host stops is not started again", async () => {
  const { clock, begun, host } = supervised(["fail"], { restart: "on-failure" });
  await host.start();
  await clock.advance(100);
  assert.equal(host.snapshot().services[0]?.state, "backing-off");
  assert.ok(host.snapshot().services[0]?.restartsAt instanceof Date);
  await host.stop();
  await clock.advance("1m");
  assert.equal(begun.length, 1);
  assert.equal(host.snapshot().services[0]?.state, "stopped");
  await host[Symbol.asyncDispose]();
});

test("every change of a service is an event", async () => {
  const { clock, host } = supervised(["fail", "end"], { restart: "on-failure" });
  const seen: string[] = [];
  using _listening = host.events.on("service", ({ service, from, to }) => seen.push(`${service}: ${from} -> ${to}`));
  host.events.on("service", () => {
    throw new Error("a bad listener");
  });
  await host.start();
  await clock.advance("1m");
  await host.stop();
  await host[Symbol.asyncDispose]();
  const first = ["s: registered -> starting", "s: starting -> running", "s: running -> backing-off"];
  const second = ["s: backing-off -> starting", "s: starting -> running", "s: running -> completed"];
  assert.deepEqual(seen, [...first, ...second]);
});

for (const [strategy, restarted] of [
  ["one-for-one", ["b"]],
  ["one-for-all", ["a", "b", "c"]],
  ["rest-for-one", ["b", "c"]],
] as const) {
  test(`${strategy}: when b of a, b, c fails, ${restarted.join(", ")} are started again, in order, after the others stopped in reverse`, async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const { builder } = quiet({ clock, random: () => 0.5 });
    builder.addServiceGroup("pipeline", strategy);
    let failures = 0;
    for (const name of ["a", "b", "c"]) {
      const service: Executable = {
        async execute(stopping) {
          log.push(`${name} runs`);
          if (name === "b" && failures++ === 0) throw new Error("boom");
          await aborted(stopping);
          log.push(`${name} left`);
        },
      };
      builder.addHostedService(service, { name, group: "pipeline", restart: "on-failure" });
    }
    builder.addHostedService(plain("outside", log), { name: "outside", restart: "on-failure" });
    const host = builder.build();
    await host.start();
    await clock.advance("10s");
    const others = restarted.filter((name) => name !== "b");
    const began = ["outside.start", "a runs", "b runs", "c runs"];
    const expected = [
      ...began,
      ...others.toReversed().map((name) => `${name} left`),
      ...restarted.map((name) => `${name} runs`),
    ];
    assert.deepEqual(log, expected);
    assert.ok(host.snapshot().services.every(({ state }) => state === "running"));
    await host.stop();
    await host[Symbol.asyncDispose]();
  });
}

test("the host stops when all background services have completed, if asked to", async () => {
  const clock = new VirtualClock();
  const { builder } = quiet({ clock, stopWhenAllCompleted: true });
  const log: string[] = [];
  for (const delay of [1_000, 5_000]) {
    const execute = () => new Promise<void>((resolve) => void clock.setTimer(delay, resolve));
    builder.addHostedService({ execute }, { name: `after ${delay}` });
  }
  builder.addHostedService(plain("plain", log), { name: "plain" });
  let ended = false;
  const ran = builder
    .build()
    .run()
    .then(() => (ended = true));
  await clock.advance("4s");
  assert.equal(ended, false);
  await clock.advance("2s");
  await ran;
  assert.deepEqual(log, ["plain.start", "plain.stop"]);
});

test("services start after what they inject and what they name, and stop before it", async () => {
  const log: string[] = [];
  class Base {
    start() {
      log.push(`${this.constructor.name} start`);
    }
    stop() {
      log.push(`${this.constructor.name} stop`);
    }
  }
  class Database extends Base {}
  class Repository {
    static readonly inject = [Database] as const;
    readonly database: Database;
    constructor(database: Database) {
      this.database = database;
    }
  }
  class Api extends Base {
    static readonly inject = [Repository] as const;
    readonly repository: Repository;
    constructor(repository: Repository) {
      super();
      this.repository = repository;
    }
  }
  class Metrics extends Base {}
  for (const startConcurrently of [false, true]) {
    log.length = 0;
    const { builder } = quiet({ startConcurrently });
    builder.services.singleton(Repository);
    builder
      .addHostedService(Metrics, { after: [Api] })
      .addHostedService(Api)
      .addHostedService(Database);
    await using host = builder.build();
    await host.start();
    await host.stop();
    const started = ["Database start", "Api start", "Metrics start"];
    assert.deepEqual(log, [...started, "Metrics stop", "Api stop", "Database stop"]);
  }
  const { builder } = quiet();
  builder.addHostedService(plain("a", []), { name: "a", after: ["b"] });
  builder.addHostedService(plain("b", []), { name: "b", after: ["a"] });
  assert.throws(() => builder.build(), /Services wait for each other: a -> b -> a/);
});

test("a wait before a restart is never longer than its bound, whatever the history", () => {
  const restarts = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 9 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(restarts, random, (history, chance) => {
      const decision = decide(read({ policy: "always" }), "failed", history, 100_000, chance);
      assert.equal(decision.kind, "restart");
      if (decision.kind !== "restart") return;
      const bound = Math.min(60_000, 1_000 * 2 ** history.length);
      assert.ok(decision.delay >= 0 && decision.delay <= bound);
    }),
  );
});

test("restarts that are older than the window are forgotten, by the intensity and by the back-off", () => {
  const supervision = read({ policy: "always", within: "1m", maxRestarts: 2 });
  assert.deepEqual(decide(supervision, "failed", [0, 1], 30_000, 0.5), { kind: "escalate", restarts: 2 });
  assert.deepEqual(decide(supervision, "failed", [0, 1], 61_000, 0.5), { kind: "restart", delay: 500 });
});
