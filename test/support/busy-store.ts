/** A memory store with an hour of a small shop's work behind it: the same each time, on a clock of its own. */

import type { JobId, NewJob, NewSchedule, Outcome, Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NAMES = ["email.welcome", "email.receipt", "rates.pull", "customers.clean-up", "report.sales", "search.index"];
const QUEUES = ["mail", "mail", "default", "default", "reports", "search"];

/** What {@link busyStore} gives. */
export interface BusyStore {
  readonly store: Store;
  readonly clock: VirtualClock;
  /** Ids of jobs worth looking at. */
  readonly dead: JobId;
  readonly retried: JobId;
  readonly running: JobId;
  /** A little more work: some succeed, some arrive. */
  work(): Promise<void>;
}

/** @param start when the hour ends, and what the clock then shows */
export async function busyStore(start: string | number = "2026-03-12T14:25:30Z"): Promise<BusyStore> {
  const clock = new VirtualClock({ start: new Date(start).getTime() - HOUR });
  const store = memory();
  await store.open({ clock, logger: silentLogger });
  const random = seeded(7);
  const names = new Set(NAMES);
  const queues = [...new Set(QUEUES)];
  const instance = await store.register(
    { name: "shop@web-1", host: "web-1", pid: 4711, version: "0.1.0", queues, names: NAMES, concurrency: 20 },
    2 * HOUR,
  );
  await store.register(
    { name: "shop@web-2", host: "web-2", pid: 1893, version: "0.1.0", queues, names: NAMES, concurrency: 20 },
    2 * HOUR,
  );
  await store.campaign("scheduler", "shop@web-1", 2 * HOUR);
  await store.saveSchedules(schedules(clock.now()));

  const settleAll = async (outcome: (job: JobId, name: string, attempt: number) => Outcome) => {
    const leases = await store.claim(instance, { wants: queues.map((queue) => ({ queue, limit: 500 })), names });
    const settlements = leases.map((lease) => ({
      lease: lease.id,
      outcomes: lease.jobs.map((job) => outcome(job.id, job.name, job.attempt)),
    }));
    await store.settle(instance, settlements);
  };
  const outcome = (job: JobId, name: string, attempt: number): Outcome => {
    const ms = Math.round(20 + random() * 400);
    const dice = random();
    if (name === "rates.pull" && dice < 0.3)
      return { job, type: "retry", ms, in: 45_000, error: failure("rates", attempt) };
    if (dice < 0.012) return { job, type: "dead", ms, error: failure("mail", attempt) };
    if (dice < 0.05) return { job, type: "retry", ms, in: 90_000, error: failure("mail", attempt) };
    return { job, type: "succeeded", ms, result: JSON.stringify({ messageId: `<${job}@shop.example>`, accepted: 1 }) };
  };

  for (let minute = 0; minute < 60; minute++) {
    const wave = 26 + 14 * Math.sin(minute / 6) + random() * 12;
    await store.enqueue(Array.from({ length: Math.round(wave) }, () => job(random)));
    if (minute === 47) {
      await store.pauseQueue("search", "The index is being rebuilt");
      await store.enqueue(Array.from({ length: 4 }, () => ({ ...job(random), name: "search.index", queue: "search" })));
    }
    await clock.advance(20_000);
    await store.promote({ names, queues: new Set(queues) }, 1_000);
    await settleAll(outcome);
    await clock.advance(40_000);
  }

  // One that failed twice and then came right, one that is given up, and one that runs.
  const [retried = ""] = await store.enqueue([
    { ...job(random), name: "rates.pull", queue: "default", maxAttempts: 5 },
  ]);
  for (const attempt of [1, 2]) {
    await settleAll((id) => ({
      job: id,
      type: "retry",
      ms: 5_003,
      in: 4_000 * attempt,
      error: failure("rates", attempt),
    }));
    await clock.advance(4_500 * attempt);
    await store.promote({ names, queues: new Set(queues) }, 1_000);
  }
  await settleAll((id) => ({ job: id, type: "succeeded", ms: 812, result: '{"rates":31,"date":"2026-03-12"}' }));
  const [dead = ""] = await store.enqueue([
    {
      ...job(random),
      name: "email.receipt",
      queue: "mail",
      maxAttempts: 1,
      input: '{"to":"kari@example.com","order":9007199254740993,"token":"tok_live_123"}',
    },
  ]);
  await settleAll((id) => ({ job: id, type: "dead", ms: 1_204, error: failure("mail", 1) }));
  await store.enqueue(Array.from({ length: 12 }, () => job(random)).filter(({ queue }) => queue !== "default"));
  const [lease] = await store.claim(instance, { wants: [{ queue: "mail", limit: 3 }], names });
  const running = lease?.jobs[0]?.id ?? "";
  await store.enqueue(Array.from({ length: 5 }, (_, n) => ({ ...job(random), due: { in: (n + 1) * 7 * MINUTE } })));
  await store.enqueue([{ ...job(random), name: "photos.resize", queue: "photos" }]);
  await store.claim(instance, { wants: [{ queue: "photos", limit: 1 }], names });
  await clock.advance(11_000);
  const late = { ...job(random), name: "rates.pull", queue: "default" };
  await store.enqueue([late, late]);
  await clock.advance(2_000);

  const work = async () => {
    await store.enqueue(Array.from({ length: 6 }, () => job(random)));
    await settleAll((id) => ({ job: id, type: "succeeded", ms: 40 }));
    await store.enqueue([job(random), job(random)]);
  };
  return { store, clock, dead, retried, running, work };
}

function job(random: () => number): NewJob {
  const pick = Math.floor(random() * 5);
  const id = Math.floor(random() * 9_000) + 1_000;
  return {
    name: NAMES[pick] ?? "email.welcome",
    queue: QUEUES[pick] ?? "mail",
    priority: pick === 4 ? 5 : 0,
    input: JSON.stringify({ to: `customer-${id}@example.com`, order: id, lines: [{ sku: "A-12", quantity: 2 }] }),
    maxAttempts: 5,
    maxCrashes: 3,
  };
}

function schedules(now: number): NewSchedule[] {
  const one = (id: string, jobName: string, nextAt: number): NewSchedule => ({
    id,
    group: "",
    source: "code",
    job: jobName,
    definition: "{}",
    nextAt,
    paused: false,
  });
  return [
    one("clean-up", "customers.clean-up", now + HOUR + 30_000),
    one("sales-report", "report.sales", now + 11 * HOUR),
  ];
}

function failure(kind: "mail" | "rates", attempt: number): string {
  const [name, message, code, at] =
    kind === "mail"
      ? [
          "SmtpError",
          "550 5.1.1 mailbox unavailable: the recipient does not exist",
          "EENVELOPE",
          "Mailer.send (/app/src/mailer.ts:48:13)",
        ]
      : [
          "FetchError",
          "GET https://rates.example/latest: 503 Service Unavailable",
          "ERATES",
          "pullRates (/app/src/rates.ts:21:11)",
        ];
  const stack = `${name}: ${message}\n    at ${at}\n    at async run (/app/src/jobs.ts:${30 + attempt}:5)`;
  const cause = {
    name: "Error",
    message: "connect ECONNREFUSED 203.0.113.7:443",
    stack: "Error: connect ECONNREFUSED 203.0.113.7:443",
  };
  return JSON.stringify({ name, message, code, stack, cause });
}

/** The same numbers each time (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
