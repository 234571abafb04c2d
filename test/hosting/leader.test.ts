import assert from "node:assert/strict";
import { test } from "node:test";
import type { Executable, LeaderElector } from "../../src/hosting/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { noting, PHASES, plain, quiet, untilAborted } from "./support.ts";

/** An election on the virtual clock, which can be made to fail. */
class Election implements LeaderElector {
  readonly #clock: VirtualClock;
  #terms = 0;
  #current: { token: string; until: number } | undefined;
  reachable = true;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get holds(): boolean {
    return this.#current !== undefined && this.#current.until > this.#clock.monotonic();
  }

  /** What an operator, or a clock gone wrong, may do: end the term. */
  end(): void {
    this.#current = undefined;
  }

  async campaign(_role: string, _holder: string, ttl: number) {
    this.#refuseWhenUnreachable();
    if (this.holds) return null;
    this.#current = { token: String(++this.#terms), until: this.#clock.monotonic() + ttl };
    return { token: this.#current.token, ttl };
  }

  async renew(_role: string, token: string, ttl: number) {
    this.#refuseWhenUnreachable();
    if (!this.holds || this.#current?.token !== token) return false;
    this.#current.until = this.#clock.monotonic() + ttl;
    return true;
  }

  async resign(_role: string, token: string) {
    this.#refuseWhenUnreachable();
    if (this.#current?.token === token) this.#current = undefined;
  }

  #refuseWhenUnreachable() {
    if (!this.reachable) throw new Error("the database is away");
  }
}

function setting() {
  const clock = new VirtualClock();
  const election = new Election(clock);
  const log: string[] = [];
  const member = (name: string, service?: Executable) => {
    const { builder, logger } = quiet({ clock, random: () => 0.5 });
    builder.useLeaderElector(election);
    const own: Executable = service ?? {
      async execute(stopping, { term }) {
        log.push(`${name} leads, term ${term?.token}, held ${term?.held}`);
        await untilAborted(stopping).catch(() => undefined);
        log.push(`${name} left, lease held ${election.holds}`);
      },
    };
    builder.addHostedService(own, { name: "duty", leaderOnly: { ttl: "12s" } });
    return { host: builder.build(), logger };
  };
  return { clock, election, log, member };
}

test("of two processes one leads; when it stops, it resigns, and the other takes over with a greater token", async () => {
  const { clock, log, member } = setting();
  const [a, b] = [member("a").host, member("b").host];
  await a.start();
  await clock.advance("1s");
  await b.start();
  await clock.advance("1m");
  assert.deepEqual(log, ["a leads, term 1, held true"]);
  assert.deepEqual([a.snapshot().services[0]?.leading, b.snapshot().services[0]?.leading], [true, false]);
  await a.stop();
  await clock.advance("5s");
  assert.deepEqual(log.slice(1), ["a left, lease held true", "b leads, term 2, held true"]);
  await b.stop();
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});

test("when the lease cannot be renewed, the service is told to stop before the lease can run out, and leads again later", async () => {
  const { clock, election, log, member } = setting();
  const { host, logger } = member("a");
  await host.start();
  await clock.advance("1s");
  election.reachable = false;
  // The last renewal counted from the start: three quarters of 12 s are over after 9 s.
  await clock.advance("9s");
  assert.deepEqual(log.slice(1), ["a left, lease held true"]);
  assert.ok(logger.messages("warn").some((message) => /could not be renewed/.test(message)));
  election.reachable = true;
  await clock.advance("20s");
  assert.match(log.at(-1) ?? "", /a leads, term 2/);
  await host.stop();
  await host[Symbol.asyncDispose]();
});

test("when another took the role, the service is told at the next renewal", async () => {
  const { clock, election, log, member } = setting();
  const { host } = member("a");
  await host.start();
  await clock.advance("1s");
  election.end();
  await clock.advance("4s");
  assert.match(log[1] ?? "", /a left/);
  await host.stop();
  await host[Symbol.asyncDispose]();
});

test("a service that does not leave when its leadership is over fails, so that its process ends", async () => {
  const { clock, election, member } = setting();
  const { host } = member("a", { execute: () => new Promise(() => undefined) });
  const ran = assert.rejects(host.run(), { code: "NS_SERVICE_ABANDONED", message: /Another process may lead/ });
  await clock.advance("1s");
  election.reachable = false;
  await clock.advance("1m");
  await ran;
});

test("a leader that completes has completed, and one that fails, fails", async () => {
  const { clock, member } = setting();
  const done = member("a", { execute: () => undefined }).host;
  await done.start();
  await clock.advance("1s");
  assert.equal(done.snapshot().services[0]?.state, "completed");
  await done.stop();
  await done[Symbol.asyncDispose]();
  const failing = member("b", { execute: () => Promise.reject(new Error("boom")) }).host;
  const ran = assert.rejects(failing.run(), { message: "boom" });
  await clock.advance("1s");
  await ran;
});

test("a service with start and stop can be leader-only too", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const { builder } = quiet({ clock });
  builder.useLeaderElector(new Election(clock));
  await using host = builder.addHostedService(plain("s", log), { name: "s", leaderOnly: true }).build();
  await host.start();
  await clock.advance("1m");
  assert.deepEqual(log, ["s.start"]);
  await host.stop();
  assert.deepEqual(log, ["s.start", "s.stop"]);
});

test("without anything that elects leaders the build is refused", () => {
  const { builder } = quiet();
  builder.addHostedService(plain("s", []), { name: "s", leaderOnly: true });
  assert.throws(() => builder.build(), /The service s is leaderOnly, but nothing elects leaders/);
});

test("each term runs all phases of the service, and each start is matched by one stop", async () => {
  const clock = new VirtualClock();
  const election = new Election(clock);
  const log: string[] = [];
  const { builder } = quiet({ clock, random: () => 0.5 });
  builder.useLeaderElector(election);
  await using host = builder.addHostedService(noting("s", log), { name: "s", leaderOnly: { ttl: "12s" } }).build();
  await host.start();
  await clock.advance("1s");
  const all = PHASES.map((phase) => `s.${phase}`);
  assert.deepEqual(log, all.slice(0, 3));
  election.end();
  await clock.advance("1m");
  assert.deepEqual(log, [...all, ...all.slice(0, 3)]);
  await host.stop();
  assert.deepEqual(log, [...all, ...all]);
});

test("a leader that completes or fails is stopped like any other, and its role is free", async () => {
  for (const fails of [false, true]) {
    const clock = new VirtualClock();
    const election = new Election(clock);
    const log: string[] = [];
    const { builder } = quiet({ clock, onServiceFailure: "ignore" });
    builder.useLeaderElector(election);
    let execution: Promise<void> | undefined;
    const service = {
      ...noting("s", log, {
        start: () => void (execution = fails ? Promise.reject(new Error("boom")) : Promise.resolve()),
      }),
      get execution() {
        return execution;
      },
    };
    await using host = builder.addHostedService(service, { name: "s", leaderOnly: true }).build();
    await host.start();
    await clock.advance("1s");
    assert.deepEqual(
      log,
      PHASES.map((phase) => `s.${phase}`),
    );
    assert.equal(host.snapshot().services[0]?.state, fails ? "faulted" : "completed");
    assert.equal(election.holds, false);
    await host.stop();
  }
});

test("a term's start has the service's startTimeout, and a phase that fails is a failure of the service", async () => {
  const clock = new VirtualClock();
  const { builder } = quiet({ clock });
  builder.useLeaderElector(new Election(clock));
  const slow = plain("slow", [], { start: untilAborted });
  builder.addHostedService(slow, { name: "slow", leaderOnly: true, startTimeout: "2s" });
  const ran = assert.rejects(builder.build().run(), {
    code: "NS_TIMEOUT",
    message: /slow's start did not finish within 2s/,
  });
  await clock.advance("1m");
  await ran;
  const { builder: other } = quiet({ clock });
  other.useLeaderElector(new Election(clock));
  const log: string[] = [];
  const broken = noting("s", log, { started: () => Promise.reject(new Error("not ready")) });
  const failed = assert.rejects(other.addHostedService(broken, { name: "s", leaderOnly: true }).build().run(), {
    message: "not ready",
  });
  await clock.advance("1m");
  await failed;
  assert.deepEqual(
    log.slice(0, 6),
    PHASES.map((phase) => `s.${phase}`),
  );
});

test("the time for a leader's stop is the host's: its stop signal is aborted when that is over", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const { builder } = quiet({ clock });
  builder.useLeaderElector(new Election(clock));
  const slow = plain("s", log, {
    stop: (signal) => untilAborted(signal).catch(() => void log.push(`left after ${clock.monotonic()}`)),
  });
  await using host = builder
    .addHostedService(slow, { name: "s", leaderOnly: { ttl: "1m" }, stopTimeout: "2s" })
    .build();
  await host.start();
  await clock.advance("1s");
  const stopped = host.stop();
  await clock.advance("5s");
  await stopped;
  assert.deepEqual(log, ["s.start", "s.stop", "left after 3000"]);
});
