/**
 * Punctuality: 100,000 schedules in a store, a thousand occurrences a second. How late is a job in the store,
 * committed, after its planned time?
 *
 *     node bench/schedules.ts [seconds = 20] [schedules = 100000] [fires a second = 1000] [full | normal | postgres]
 *
 * `full` and `normal` are an SQLite file of that durability; `postgres` is a server of its own that waits for its disk.
 */
import { cpus } from "node:os";
import { defineJob } from "../src/jobs/index.ts";
import { Declarations } from "../src/scheduling/declarations.ts";
import { writeDefinition } from "../src/scheduling/definition.ts";
import { completeSpec, defaultsOf } from "../src/scheduling/read-options.ts";
import { Scheduler } from "../src/scheduling/scheduler.ts";
import type { NewSchedule, Store } from "../src/store/contract.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { interval, sleep, systemClock } from "../src/time/index.ts";
import { durableStore } from "./durable-store.ts";

const [seconds = 20, schedules = 100_000, rate = 1_000] = process.argv.slice(2, 5).map(Number);
const kind = process.argv[5] ?? "full";
const CHUNK = 5_000;
/** Long enough for the file to be filled before the first occurrence is due. */
const LEAD = 30_000;

const tick = defineJob({ name: "tick", run: () => undefined });
const place = await durableStore(kind);
const { store } = place;
try {
  await store.open({ clock: systemClock, logger: silentLogger });
  const { filled, base } = await fill(store);
  console.log(`${schedules} schedules saved in ${(filled / 1_000).toFixed(1)} s`);
  const late: number[] = [];
  let commits = 0;
  const measured = watching(store, (delays) => {
    commits++;
    late.push(...delays);
  });
  const declarations = new Declarations({ app: "b", by: "b", logger: silentLogger, declared: async () => [] });
  const scheduler = new Scheduler({
    source: { open: async () => measured },
    definitionOf: () => tick,
    declarations,
    clock: systemClock,
    logger: silentLogger,
    by: "bench",
    random: Math.random,
  });
  await scheduler.start(new AbortController().signal);
  await sleep(systemClock, Math.max(0, base - systemClock.now()) + 1_000);
  late.length = 0;
  commits = 0;
  const cpu = process.cpuUsage();
  const begun = systemClock.monotonic();
  await sleep(systemClock, seconds * 1_000);
  const took = (systemClock.monotonic() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await scheduler.stop(new AbortController().signal);
  late.sort((a, b) => a - b);
  const at = (share: number) => `${late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? Number.NaN} ms`;
  console.log(`${place.name}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`);
  console.log(`${(late.length / took).toFixed(0)} fires/s in ${(commits / took).toFixed(0)} commits/s`);
  console.log(`late: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, most ${at(1)}`);
  console.log(`processor: ${(((user + system) / 1_000_000 / took) * 100).toFixed(0)} % of one core`);
} finally {
  await store.close();
  await place.dispose();
}

/** Each schedule has its own moment, so that occurrences come evenly. */
async function fill(into: Store): Promise<{ filled: number; base: number }> {
  const begun = systemClock.monotonic();
  const base = systemClock.now() + LEAD;
  const every = (schedules / rate) * 1_000;
  for (let from = 0; from < schedules; from += CHUNK) {
    const part = Array.from({ length: Math.min(CHUNK, schedules - from) }, (_, index): NewSchedule => {
      const nextAt = Math.floor(base + ((from + index) * 1_000) / rate);
      const trigger = interval(every, { start: new Date(nextAt) }).toJSON();
      const spec = { ...completeSpec({ trigger }, defaultsOf(tick)), input: "null" };
      const definition = writeDefinition({ spec, state: {} });
      const id = `schedule-${from + index}`;
      return { id, group: "", source: "dynamic", job: tick.name, definition, nextAt, paused: false };
    });
    await into.saveSchedules(part);
  }
  return { filled: systemClock.monotonic() - begun, base };
}

/** The store, with an ear at `fire`: how late each job was when its commit was confirmed. */
function watching(inner: Store, hear: (delays: readonly number[]) => void): Store {
  return new Proxy(inner, {
    get(target, key) {
      if (key === "fire") {
        const fire: Store["fire"] = async (fires, by) => {
          const fired = await target.fire(fires, by);
          const now = systemClock.now();
          hear(fires.flatMap(({ occurrences }) => occurrences.map(({ at }) => now - at)));
          return fired;
        };
        return fire;
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
