import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimedOptions } from "../../src/hosting/index.ts";
import { type Tick, ticker } from "../../src/hosting/index.ts";
import { cron, sleep, VirtualClock } from "../../src/time/index.ts";
import { errorOf, quiet } from "./support.ts";

class Unit {
  static alive = 0;
  readonly id = ++Unit.alive;
  async [Symbol.asyncDispose]() {
    await Promise.resolve();
    Unit.alive--;
  }
}

function timed(
  options: TimedOptions,
  run: (tick: Tick, clock: VirtualClock) => Promise<void> | void = () => undefined,
) {
  const clock = new VirtualClock({ start: "2026-03-01T00:00:00Z" });
  const { builder, logger } = quiet({ clock, random: () => 0.5 });
  const ticks: { at: number; planned: string; missed: number }[] = [];
  builder.addTimedService("timed", options as TimedOptions<[]>, (tick) => {
    ticks.push({ at: clock.monotonic(), planned: tick.plannedAt.toISOString().slice(11, 19), missed: tick.missed });
    return run(tick, clock);
  });
  return { clock, logger, ticks, host: builder.build() };
}

const times = (ticks: readonly { at: number }[]) => ticks.map(({ at }) => at);

test("a timed service ticks on its grid, first after one period", async () => {
  const { clock, ticks, host } = timed({ every: "10s" });
  await using _ = host;
  await host.start();
  await clock.advance("35s");
  assert.deepEqual(times(ticks), [10_000, 20_000, 30_000]);
  await host.stop();
});

test("with immediately it ticks at the start too", async () => {
  const { clock, ticks, host } = timed({ every: "10s", immediately: true });
  await using _ = host;
  await host.start();
  await clock.advance("15s");
  assert.deepEqual(times(ticks), [0, 10_000]);
  await host.stop();
});

test("it never overlaps: what falls due meanwhile is skipped, or queued as one tick right after", async () => {
  const busy = (tick: Tick, clock: VirtualClock) => (tick.index === 0 ? sleep(clock, 25_000) : undefined);
  const skip = timed({ every: "10s" }, busy);
  await skip.host.start();
  await skip.clock.advance("61s");
  assert.deepEqual(
    skip.ticks.map(({ at, missed }) => [at, missed]),
    [
      [10_000, 0],
      [40_000, 2],
      [50_000, 0],
      [60_000, 0],
    ],
  );
  await skip.host.stop();
  await skip.host[Symbol.asyncDispose]();
  const queue = timed({ every: "10s", overlap: "queue" }, busy);
  await queue.host.start();
  await queue.clock.advance("51s");
  assert.deepEqual(
    queue.ticks.map(({ at, missed, planned }) => [at, missed, planned]),
    [
      [10_000, 0, "00:00:10"],
      [35_000, 1, "00:00:30"],
      [40_000, 0, "00:00:40"],
      [50_000, 0, "00:00:50"],
    ],
  );
  await queue.host.stop();
  await queue.host[Symbol.asyncDispose]();
});

test("any trigger gives the rhythm, and a jump of the wall clock is followed", async () => {
  const { clock, ticks, host } = timed({ trigger: cron("*/15 * * * *") });
  await using _ = host;
  await host.start();
  await clock.advance("31m");
  assert.deepEqual(
    ticks.map(({ planned }) => planned),
    ["00:15:00", "00:30:00"],
  );
  clock.jump("2026-03-01T02:59:30Z");
  await clock.advance("2m");
  assert.equal(ticks.length, 3);
  await host.stop();
});

test("ticks of a trigger that fall due meanwhile are skipped or queued as one too", async () => {
  const busy = (tick: Tick, clock: VirtualClock) => (tick.index === 0 ? sleep(clock, 150_000) : undefined);
  for (const [overlap, expected] of [
    ["skip", ["00:01:00", "00:04:00"]],
    ["queue", ["00:01:00", "00:03:00", "00:04:00"]],
  ] as const) {
    const { clock, ticks, host } = timed({ trigger: cron("* * * * *"), overlap }, busy);
    await host.start();
    await clock.advance("4m30s");
    assert.deepEqual(
      ticks.map(({ planned }) => planned),
      expected,
    );
    await host.stop();
    await host[Symbol.asyncDispose]();
  }
});

test("jitter delays each tick, and the plan stays", async () => {
  const { clock, ticks, host } = timed({ every: "10s", jitter: "4s" });
  await using _ = host;
  await host.start();
  await clock.advance("25s");
  assert.deepEqual(times(ticks), [12_000, 22_000]);
  assert.deepEqual(
    ticks.map(({ planned }) => planned),
    ["00:00:10", "00:00:20"],
  );
  await host.stop();
});

test("each tick has a scope of its own, disposed at its end, and what it injects is typed", async () => {
  const clock = new VirtualClock();
  const { builder } = quiet({ clock });
  builder.services.scoped(Unit);
  const seen: number[] = [];
  builder.addTimedService("units", { every: "1s", inject: [Unit] }, async (tick, unit) => {
    assert.equal(tick.services.get(Unit), unit);
    seen.push(unit.id, Unit.alive);
    await Promise.resolve();
  });
  await using host = builder.build();
  await host.start();
  await clock.advance("3s");
  assert.deepEqual(seen, [1, 1, 1, 1, 1, 1]);
  assert.equal(Unit.alive, 0);
  await host.stop();
  const { builder: broken } = quiet();
  broken.addTimedService("units", { every: "1s", inject: [Unit] }, () => undefined);
  assert.throws(() => broken.build(), /units needs Unit, which is not registered/);
});

test("a tick that fails is logged and the rhythm goes on; with onError fail the service fails", async () => {
  const boom = () => Promise.reject(new Error("boom"));
  const logged = timed({ every: "1s" }, boom);
  await logged.host.start();
  await logged.clock.advance("3s");
  assert.equal(logged.ticks.length, 3);
  assert.equal(logged.logger.messages("error").length, 3);
  await logged.host.stop();
  await logged.host[Symbol.asyncDispose]();
  const failing = timed({ every: "1s", onError: "fail" }, boom);
  const ran = errorOf(failing.host.run());
  await failing.clock.advance("2s");
  assert.match(String(await ran), /boom/);
});

test("a tick whose time is over gets its signal aborted, and the next one runs", async () => {
  const { clock, ticks, logger, host } = timed({ every: "10s", timeout: "2s" }, (tick, given) =>
    sleep(given, 60_000, tick.signal),
  );
  await using _ = host;
  await host.start();
  await clock.advance("21s");
  assert.equal(ticks.length, 2);
  assert.match(String(logger.entries.find(({ level }) => level === "error")?.error), /did not finish within 2s/);
  await host.stop();
});

test("a stop waits for the tick under way, whose signal is aborted", async () => {
  const log: string[] = [];
  const { clock, host } = timed({ every: "1s" }, async (tick, given) => {
    await sleep(given, 60_000, tick.signal).catch(() => log.push("told to stop"));
    log.push("left");
  });
  await using _ = host;
  await host.start();
  await clock.advance("2s");
  await host.stop();
  assert.deepEqual(log, ["told to stop", "left"]);
});

test("ticker: missed ticks come as one, and the signal ends the loop without an error", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const seen: [number, number][] = [];
  const loop = (async () => {
    for await (const tick of ticker("50ms", { clock, signal: stop.signal })) {
      seen.push([clock.monotonic(), tick.missed]);
      if (tick.index === 0) await sleep(clock, 280);
    }
    return "ended";
  })();
  await clock.advance(450);
  assert.deepEqual(seen, [
    [50, 0],
    [330, 4],
    [350, 0],
    [400, 0],
    [450, 0],
  ]);
  stop.abort();
  assert.equal(await loop, "ended");
  assert.equal(clock.pendingTimers, 0);
  assert.throws(() => ticker(0), { code: "NS_OPTION_INVALID" });
});
