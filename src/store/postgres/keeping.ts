/** Upkeep, and control of queues and jobs: thin calls of the functions in the database, and word to who listens. */
import type { LoggerLike } from "../../telemetry/logger.ts";
import type { CancelResult, JobId, Promoted, RescuedJob, Retention, Serving } from "../contract.ts";
import { rulesOf } from "../shared/retention.ts";
import { numberElements, numbers } from "./arrays.ts";
import { Cuts } from "./cuts.ts";
import type { Row } from "./driver.ts";
import { here } from "./elsewhere.ts";
import { HealthWatch } from "./health-watch.ts";
import { jobId, parseJobId } from "./job-id.ts";
import { onServer } from "./meeting.ts";
import type { News } from "./notifier.ts";
import { maybeNumber, run, type Session, tell } from "./session.ts";

/** Lines of the tally folded with each round of rescue. */
const FOLD = 20_000;
/** How often partitions are looked after by one process, in milliseconds. */
const MAINTAIN_EVERY = 1_800_000;
/** How often a process looks for days to drop, in milliseconds. */
const RETIRE_EVERY = 600_000;
/** Days of fewer jobs are pruned by rows. */
const WORTH_DROPPING = 50_000;
/** How many jobs one statement cancels or retries: it holds their locks until it ends. */
const SLICE = 1_000;

export class Keeping {
  readonly #session: Session;
  readonly #health: HealthWatch;
  readonly #cuts: Cuts;
  #maintainedAt = Number.NEGATIVE_INFINITY;
  #retiredAt = Number.NEGATIVE_INFINITY;

  constructor(session: Session) {
    this.#session = session;
    this.#health = new HealthWatch(session);
    this.#cuts = new Cuts(session);
  }

  async promote(serving: Serving, limit: number): Promise<Promoted> {
    const text = `select * from ${this.#session.s}.promote($1::int[], $2::int[], $3)`;
    const [row] = await onServer(this.#session, async (names) => {
      const kinds = await names.kindList(serving.names);
      await names.learnQueues(serving.queues);
      const queues = numbers([...serving.queues].map((queue) => names.queue(queue)));
      return run(this.#session, "promote", text, [kinds, queues, limit]);
    });
    const [moved = "0", nextAt = null, lanes = null, ids = null] = row ?? [];
    const firsts = numberElements(ids);
    const changed = numberElements(lanes).map((lane, index) => [Number(lane), firsts[index] ?? "0"] as const);
    if (changed.length > 0) await this.#tellReady(changed);
    return { moved: Number(moved), nextAt: maybeNumber(nextAt) };
  }

  async rescue(limit: number): Promise<readonly RescuedJob[]> {
    const { s, names } = this.#session;
    await this.#maintain();
    await this.#health.look();
    const rows = await run(this.#session, "rescue", `select * from ${s}.rescue($1)`, [limit]);
    await run(this.#session, "fold_tally", `select ${s}.fold_tally($1)`, [FOLD]);
    const laneOf = await names.lanesById(rows.map(([, , lane]) => Number(lane)));
    const kindOf = await names.kindsById(rows.map(([, , , kind]) => Number(kind)));
    const rescued = rows.map(([bucket, id, lane, kind, attempt, instance, state]): RescuedJob => {
      const now = state === "B" ? "ready" : state === "D" ? "dead" : "cancelled";
      const job = jobId(bucket ?? "", id ?? "");
      const queue = laneOf(Number(lane)).queue;
      return { job, name: kindOf(Number(kind)), queue, attempt: Number(attempt), instance: instance ?? "", now };
    });
    const ready = rows.filter((row) => row[6] === "B").map(([, id, lane]) => [Number(lane), id ?? "0"] as const);
    if (ready.length > 0) await this.#tellReady(ready);
    const finished = rescued.filter(({ now }) => now !== "ready").map(({ job }) => job);
    if (finished.length > 0) tell(this.#session, { finished });
    return rescued;
  }

  async prune(retention: Retention, limit: number): Promise<number> {
    const { s } = this.#session;
    const cuts = await this.#cuts.of(rulesOf(retention));
    const retired = await this.#retire(cuts.map((cut) => cut?.at ?? null));
    const text = `select ${s}.prune($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7)`;
    const ends = cuts.flatMap((cut) => [cut?.at ?? null, cut?.job ?? null]);
    const [row] = await run(this.#session, "prune", text, [...ends, limit]);
    const pruned = Number(row?.[0]);
    if (pruned < limit) this.#cuts.reached();
    return retired + pruned;
  }

  async sweep(age: number, limit: number): Promise<number> {
    const text = `select ${this.#session.s}.sweep($1::bigint, $2)`;
    const [row] = await run(this.#session, "sweep", text, [Math.ceil(age), limit]);
    return Number(row?.[0]);
  }

  /**
   * Drops a day that is over in one piece, whatever the limit: it costs less than a slice of its rows would. Tried now
   * and then, and only where every state has an end; what cannot be had without waiting is pruned by rows.
   */
  async #retire(cuts: readonly (number | null)[]): Promise<number> {
    const { s, clock, logger } = this.#session;
    if (clock.monotonic() - this.#retiredAt < RETIRE_EVERY) return 0;
    const cut = Math.min(...cuts.map((at) => at ?? Number.NEGATIVE_INFINITY));
    if (!Number.isFinite(cut)) return 0;
    this.#retiredAt = clock.monotonic();
    try {
      const [row] = await run(this.#session, "retire", `select ${s}.retire($1::bigint, $2)`, [cut, WORTH_DROPPING]);
      return Number(row?.[0]);
    } catch (err) {
      logger.debug({ err }, "a day that is over could not be dropped now; its jobs are pruned one by one");
      return 0;
    }
  }

  async pauseQueue(queue: string, reason?: string): Promise<void> {
    const { s } = this.#session;
    const text = `select ${s}.pause($1, $2) where ${here(3)}`;
    await onServer(this.#session, async (names) => {
      await names.learnQueues([queue]);
      const [row] = await run(this.#session, "pause", text, [names.queue(queue), reason ?? null, names.server]);
      return row ?? null;
    });
  }

  async resumeQueue(queue: string): Promise<void> {
    const { s } = this.#session;
    const text = `update ${s}.queue set paused_at = null, pause_reason = null where name = $1 and paused_at is not null returning id`;
    const rows = await run(this.#session, "resume", text, [queue]);
    if (rows.length > 0) tell(this.#session, { queues: [queue] });
  }

  async cancel(jobs: readonly JobId[], reason: string): Promise<readonly CancelResult[]> {
    const { s } = this.#session;
    const results: CancelResult[] = jobs.map(() => "missing");
    for (const { buckets, ids, places } of slices(jobs)) {
      const text = `select ${s}.cancel($1::int[], $2::bigint[], $3)`;
      const [row] = await run(this.#session, "cancel", text, [numbers(buckets), numbers(ids), reason]);
      const done = numberElements(row?.[0] ?? null) as CancelResult[];
      done.forEach((result, index) => {
        results[places[index] as number] = result;
      });
    }
    const finished = jobs.filter((_, index) => results[index] === "cancelled");
    const news: News = {
      ...(finished.length > 0 ? { finished } : {}),
      ...(results.includes("requested") ? { cancellation: true as const } : {}),
    };
    if (Object.keys(news).length > 0) tell(this.#session, news);
    return results;
  }

  async retry(jobs: readonly JobId[]): Promise<readonly JobId[]> {
    const { s } = this.#session;
    const done: Row[] = [];
    for (const { buckets, ids } of slices(jobs)) {
      const text = `select * from ${s}.retry($1::int[], $2::bigint[])`;
      done.push(...(await run(this.#session, "retry", text, [numbers(buckets), numbers(ids)])));
    }
    return this.#madeReady(jobs, done);
  }

  async runNow(jobs: readonly JobId[]): Promise<readonly JobId[]> {
    const { s } = this.#session;
    const done: Row[] = [];
    for (const { ids } of slices(jobs)) {
      done.push(...(await run(this.#session, "run_now", `select * from ${s}.run_now($1::bigint[])`, [numbers(ids)])));
    }
    return this.#madeReady(jobs, done);
  }

  /** In the order asked. */
  async #madeReady(jobs: readonly JobId[], rows: readonly Row[]): Promise<readonly JobId[]> {
    if (rows.length === 0) return [];
    await this.#tellReady(rows.map(([, id, lane]) => [Number(lane), id ?? "0"] as const));
    const done = new Set(rows.map(([bucket, id]) => jobId(bucket ?? "", id ?? "")));
    return jobs.filter((job) => done.delete(job));
  }

  async #tellReady(lanes: readonly (readonly [number, string])[]): Promise<void> {
    const laneOf = await this.#session.names.lanesById(lanes.map(([lane]) => lane));
    tell(this.#session, { queues: [...new Set(lanes.map(([lane]) => laneOf(lane).queue))], lanes: smallest(lanes) });
  }

  /** Partitions for the days to come. A day without one is no loss: its rows wait in the default partition. */
  async #maintain(): Promise<void> {
    const { clock } = this.#session;
    if (clock.monotonic() - this.#maintainedAt < MAINTAIN_EVERY) return;
    this.#maintainedAt = clock.monotonic();
    await maintain(this.#session, this.#session.logger);
  }
}

/** Makes the partitions of the coming days; what goes wrong is logged, since work can go on without. */
export async function maintain(session: Session, logger: LoggerLike): Promise<void> {
  try {
    const { partitionsAhead } = session.database.settings;
    await run(session, "maintain", `select ${session.s}.maintain($1)`, [partitionsAhead]);
  } catch (err) {
    logger.warn(
      { err },
      "could not make partitions for the coming days; new jobs go to the default partition meanwhile",
    );
  }
}

function smallest(lanes: readonly (readonly [number, string])[]): readonly (readonly [number, string])[] {
  const found = new Map<number, string>();
  for (const [lane, id] of lanes) {
    const other = found.get(lane);
    if (other === undefined || BigInt(id) < BigInt(other)) found.set(lane, id);
  }
  return [...found];
}

interface Slice {
  readonly buckets: readonly string[];
  readonly ids: readonly string[];
  /** Where in the list they stood. */
  readonly places: readonly number[];
}

/** Ids that may be jobs of this store, in slices. */
function slices(jobs: readonly JobId[]): readonly Slice[] {
  const keys = jobs.flatMap((job, place) => {
    const key = parseJobId(job);
    return key === null ? [] : [{ ...key, place }];
  });
  const count = Math.ceil(keys.length / SLICE);
  return Array.from({ length: count }, (_, index) => {
    const slice = keys.slice(index * SLICE, (index + 1) * SLICE);
    return {
      buckets: slice.map((key) => key.bucket),
      ids: slice.map((key) => key.id),
      places: slice.map((key) => key.place),
    };
  });
}
