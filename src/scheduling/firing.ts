/** One batch of due schedules: decide each, write all in one commit. No loop and no waiting; the scheduler does those. */
import { NightshiftError } from "../errors/index.ts";
import type { JobDefinition } from "../jobs/index.ts";
import {
  FINAL_STATES,
  type Fire,
  type JobId,
  type JobState,
  type Store,
  type StoredSchedule,
} from "../store/contract.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock } from "../time/index.ts";
import { type Decision, decide } from "./decide.ts";
import { writeDefinition } from "./definition.ts";
import { occurrenceJob } from "./occurrence-job.ts";
import type { Readable, Reader } from "./readable.ts";

/** What firing needs of the world. */
export interface FiringParts {
  readonly store: Store;
  readonly reader: Reader;
  readonly definitionOf: (job: string) => JobDefinition | undefined;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  /** The instance's name, for the history. */
  readonly by: string;
}

/** How a batch went. */
export interface Batch {
  readonly won: number;
  /** Another process was first. */
  readonly lost: number;
  /** Schedules that cannot be fired here, with the reason. */
  readonly broken: readonly { readonly stored: StoredSchedule; readonly error: unknown }[];
  /** Schedules whose next occurrence waits for a job. */
  readonly held: readonly { readonly schedule: string; readonly job: JobId }[];
  /** There was more than one batch takes: the rest comes with the next. */
  readonly cut: boolean;
}

interface Move {
  readonly readable: Readable;
  readonly decision: Decision;
  readonly previous: JobId | null;
  readonly fire: Fire;
}

/** Deciding may not keep others from being on time: what is not decided by then comes with the next batch. */
const DECIDING_TIME = 20;
/** One commit stays short: a backlog of many schedules is written in several. */
const MOST_LINES = 2_000;
const REPLACED = "replaced by the schedule's next occurrence";
/** What a store says of what it was given, rather than of itself. */
const REFUSALS = ["NS_OPTION_INVALID", "NS_JOB_TOO_LARGE"];

/** Moves the schedules given (all of them due, or held) forward. @throws what the store throws when it is unwell */
export async function fireBatch(parts: FiringParts, due: readonly StoredSchedule[], now: number): Promise<Batch> {
  const broken: { stored: StoredSchedule; error: unknown }[] = [];
  const calendars = await parts.reader.calendarsFor(parts.store, due);
  const readable = due.flatMap((stored) => {
    try {
      return [parts.reader.read(stored, calendars)];
    } catch (error) {
      broken.push({ stored, error });
      return [];
    }
  });
  const live = await liveJobs(parts.store, readable);
  const begun = parts.clock.monotonic();
  const moves: Move[] = [];
  let lines = 0;
  let cut = false;
  for (const each of inOrder(readable)) {
    cut = lines > MOST_LINES || (moves.length > 0 && parts.clock.monotonic() - begun > DECIDING_TIME);
    if (cut) break;
    try {
      const move = moveOf(parts, each, now, live);
      moves.push(move);
      lines += move.fire.occurrences.length;
    } catch (error) {
      broken.push({ stored: each.stored, error });
    }
  }
  const written = await write(parts, moves, broken);
  return { ...written, broken, cut };
}

/** Of occurrences at one time, those with the higher priority make their jobs first. */
function inOrder(schedules: readonly Readable[]): readonly Readable[] {
  const priority = ({ spec }: Readable) => spec.priority ?? spec.defaults.priority;
  return [...schedules].sort((a, b) => (a.stored.nextAt ?? 0) - (b.stored.nextAt ?? 0) || priority(b) - priority(a));
}

/** The previous jobs that are not over, of those schedules that care. */
async function liveJobs(store: Store, schedules: readonly Readable[]): Promise<ReadonlySet<JobId>> {
  const ids = schedules.flatMap(({ spec, stored }) =>
    spec.overlap !== "allow" && stored.lastJob !== null ? [stored.lastJob] : [],
  );
  if (ids.length === 0) return new Set();
  const final: readonly JobState[] = FINAL_STATES;
  return new Set([...(await store.statesOf(ids))].flatMap(([id, state]) => (final.includes(state) ? [] : [id])));
}

function moveOf(parts: FiringParts, readable: Readable, now: number, live: ReadonlySet<JobId>): Move {
  const { stored, spec, state, owner, timeline } = readable;
  const previous = stored.lastJob !== null && live.has(stored.lastJob) ? stored.lastJob : null;
  const decision = decide({ policies: spec, timeline, state, nextAt: stored.nextAt ?? now, now, previous });
  const making = { schedule: stored.id, name: stored.job, spec, definition: parts.definitionOf(stored.job), now };
  const changed = JSON.stringify(decision.state) !== JSON.stringify(state);
  const fire: Fire = {
    schedule: stored.id,
    revision: stored.revision,
    occurrences: decision.occurrences.map(({ at, what, reason }) => ({
      at,
      what,
      ...(reason === undefined ? {} : { reason }),
      ...(what === "fired" ? { job: occurrenceJob({ ...making, at }) } : {}),
    })),
    nextAt: decision.nextAt,
    // In the same commit: a move that lost its race to a pause must not have cancelled anything.
    ...(decision.cancelPrevious && previous !== null ? { cancel: { jobs: [previous], reason: REPLACED } } : {}),
    ...(changed ? { definition: writeDefinition({ spec, state: decision.state, ...(owner ? { owner } : {}) }) } : {}),
  };
  return { readable, decision, previous, fire };
}

type Written = Omit<Batch, "broken" | "cut">;

async function write(
  parts: FiringParts,
  moves: readonly Move[],
  broken: { stored: StoredSchedule; error: unknown }[],
): Promise<Written> {
  if (moves.length === 0) return { won: 0, lost: 0, held: [] };
  try {
    const fired = await parts.store.fire(
      moves.map(({ fire }) => fire),
      parts.by,
    );
    const held: { schedule: string; job: JobId }[] = [];
    fired.forEach((result, index) => {
      const move = moves[index];
      if (result.stale || move === undefined) return;
      tell(parts.logger, move);
      const job = result.jobs.findLast((made) => made !== null) ?? move.previous;
      if (move.decision.state.held !== undefined && job !== null) held.push({ schedule: result.schedule, job });
    });
    const won = fired.filter(({ stale }) => !stale).length;
    return { won, lost: fired.length - won, held };
  } catch (error) {
    const refused = error instanceof NightshiftError && REFUSALS.includes(error.code);
    if (!refused) throw error;
    const [only] = moves;
    if (moves.length === 1 && only !== undefined) {
      broken.push({ stored: only.readable.stored, error });
      return { won: 0, lost: 0, held: [] };
    }
    // One of them cannot be written: each on its own, so that it does not hold up the others.
    const parted: Written[] = [];
    for (const move of moves) parted.push(await write(parts, [move], broken));
    const sum = (count: (part: Written) => number) => parted.reduce((total, part) => total + count(part), 0);
    return { won: sum(({ won }) => won), lost: sum(({ lost }) => lost), held: parted.flatMap(({ held }) => held) };
  }
}

/** One line a move, however many occurrences it dealt with. */
function tell(logger: LoggerLike, { fire, decision }: Move): void {
  const { schedule } = fire;
  const told = decision.occurrences.filter(({ reason }) => reason !== undefined);
  const fired = decision.occurrences.filter(({ what }) => what === "fired").length;
  if (told.length === 0) logger.debug({ schedule, fired }, "fired");
  else {
    const [first] = told;
    const facts = { schedule, fired, leftOut: decision.occurrences.length - fired, reason: first?.reason };
    logger.info(facts, "occurrences were late or left out");
  }
  if (fire.nextAt === null) logger.info({ schedule }, "the schedule is over");
}
