/**
 * What people ask of a store with 100,000 schedules: pages, groups, pausing and resuming one group with all of them in it.
 *
 *     node bench/schedule-pages.ts [schedules = 100000] [full | normal | postgres]
 *
 * One schedule in a thousand is in a group of its own kind (`few`), declared in code, of another job, and paused; the rest
 * are in `many`.
 */
import pg from "pg";
import { createSchedules, defineJob } from "../src/index.ts";
import { writeDefinition } from "../src/scheduling/definition.ts";
import { completeSpec, defaultsOf } from "../src/scheduling/read-options.ts";
import type { NewSchedule } from "../src/store/contract.ts";
import { silentLogger } from "../src/telemetry/index.ts";
import { interval, systemClock, weeklyCalendar } from "../src/time/index.ts";
import { durableStore } from "./durable-store.ts";

const schedules = Number(process.argv[2] ?? 100_000);
const kind = process.argv[3] ?? "full";
const CHUNK = 5_000;

const tick = defineJob({ name: "tick", run: () => undefined });
const place = await durableStore(kind);
const { store } = place;
const client = createSchedules({ store, jobs: [tick], logger: silentLogger });

async function measured(what: string, act: () => Promise<unknown>): Promise<void> {
  const begun = systemClock.monotonic();
  const cpu = process.cpuUsage();
  const answer = await act();
  const { user, system } = process.cpuUsage(cpu);
  const took = systemClock.monotonic() - begun;
  const said = typeof answer === "number" ? ` (${answer})` : "";
  console.log(`${what}: ${took.toFixed(1)} ms, ${((user + system) / 1_000).toFixed(0)} ms of this processor${said}`);
}

try {
  await client.groups();
  await measured(`saving ${schedules}`, fill);
  // What the server does by itself within a minute.
  if (place.url) await analyze(place.url);
  const ids = [0, 0.5, 1].map((share) => `s${String(Math.floor((schedules - 1) * share)).padStart(7, "0")}`);
  for (const turn of ["cold", "warm"]) {
    console.log(turn);
    await measured("first page", () => store.listSchedules({ limit: 50 }));
    await measured("page of a small group", () => store.listSchedules({ limit: 50, group: "few" }));
    await measured("page of one job", () => store.listSchedules({ limit: 50, job: "rare" }));
    await measured("page of those declared in code", () => store.listSchedules({ limit: 50, source: "code" }));
    await measured("page of paused ones", () => store.listSchedules({ limit: 50, paused: true }));
    await measured("page of an empty group", () => store.listSchedules({ limit: 50, group: "none" }));
    await measured("three by id", () => store.getSchedules(ids));
    await measured("due ones", () => store.dueSchedules(500));
  }
  await measured("all groups with their counts", async () => (await client.groups()).length);
  await measured("pausing the small group", () => client.pauseGroup("few"));
  await measured("pausing the large group", () => client.pauseGroup("many"));
  await measured("pausing it again", () => client.pauseGroup("many"));
  await measured("resuming it", () => client.resumeGroup("many"));
  await measured("saving a calendar that nobody uses", () => client.saveCalendar("c", weeklyCalendar()));
} finally {
  await client[Symbol.asyncDispose]();
  await place.dispose();
}

async function analyze(url: string): Promise<void> {
  const raw = new pg.Client(url);
  await raw.connect();
  await raw.query("analyze");
  await raw.end();
}

async function fill(): Promise<number> {
  const misfire = { policy: "run-once" } as const;
  const base = systemClock.now();
  const spec = { trigger: interval("1h").toJSON(), misfire, misfireThreshold: 5_000, overlap: "allow" } as const;
  const definition = writeDefinition({ spec: { ...completeSpec(spec, defaultsOf(tick)), input: "null" }, state: {} });
  for (let from = 0; from < schedules; from += CHUNK) {
    const part = Array.from({ length: Math.min(CHUNK, schedules - from) }, (_, index): NewSchedule => {
      const [n, few] = [from + index, (from + index) % 1_000 === 999];
      return {
        id: `s${String(n).padStart(7, "0")}`,
        group: few ? "few" : "many",
        source: few ? "code" : "dynamic",
        job: few ? "rare" : "tick",
        definition,
        nextAt: base + 600_000 + n,
        paused: few,
      };
    });
    await store.saveSchedules(part);
  }
  return schedules;
}
