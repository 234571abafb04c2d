/** What an open store has: the way to the database, what it remembers of it, and who is told of changes. */
import type { LoggerLike } from "../../telemetry/logger.ts";
import type { Clock } from "../../time/index.ts";
import type { Wake } from "../contract.ts";
import type { Listeners } from "../shared/listeners.ts";
import type { Database, Repeat } from "./database.ts";
import type { Row } from "./driver.ts";
import type { Floors } from "./floors.ts";
import type { LeaseIds } from "./lease-ids.ts";
import { type Line, loneJob } from "./line.ts";
import type { Names } from "./names.ts";
import type { News, Notifier } from "./notifier.ts";
import type { Value } from "./question.ts";

export interface Session {
  readonly database: Database;
  /** What is remembered of names on this server; replaced when another one is met (meeting.ts). */
  names: Names;
  readonly floors: Floors;
  readonly leaseIds: LeaseIds;
  readonly notifier: Notifier;
  readonly line: Line;
  readonly listeners: Listeners;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  /** The database's clock less this process's monotonic one, as last seen; null before. */
  offset: number | null;
  /** The quoted schema, for statements. */
  readonly s: string;
}

/** Tells this process at once and the others soon. Called after the commit. */
export function tell(session: Session, news: News): void {
  hear(session, news);
  session.notifier.say(news);
}

/** Takes in news, ours or another process's. */
export function hear({ floors, line, listeners, logger }: Session, news: News): void {
  for (const [lane, id] of news.lanes ?? []) floors.lower(lane, id);
  if (!listeners.any) return;
  if (news.finished) line.finished(news.finished);
  const lone = loneJob(news);
  if (lone === null || line.isFirst(lone.queue, lone.job)) listeners.emit(wakesOf(news), logger);
}

function wakesOf(news: News): Wake[] {
  const wakes: Wake[] = [];
  if (news.queues) wakes.push({ what: "work", queues: news.queues });
  if (news.scheduledAt !== undefined) wakes.push({ what: "scheduled", at: news.scheduledAt });
  if (news.schedules) wakes.push({ what: "schedules" });
  if (news.cancellation) wakes.push({ what: "cancellation" });
  if (news.finished) wakes.push({ what: "finished", jobs: news.finished });
  if (news.unknown) wakes.push({ what: "unknown" });
  return wakes;
}

/** The database's clock, as far as this process knows without asking: its own wall clock may be wrong by hours. */
export function databaseTime({ clock, offset }: Session): number {
  return offset === null ? clock.now() : clock.monotonic() + offset;
}

/** Remembers what the database's clock has just shown. */
export function sawTime(session: Session, at: number): void {
  session.offset = at - session.clock.monotonic();
}

/** Runs a named statement. */
export function run(
  session: Session,
  name: string,
  text: string,
  values: readonly Value[],
  repeat: Repeat = "always",
): Promise<readonly Row[]> {
  return session.database.run({ name, text }, values, repeat);
}

/**
 * Runs a statement that must not wait for a free connection: a heartbeat, while every other one stands before a lock. It
 * goes where LISTEN is, and through the pool when that fails. It may be repeated.
 */
export async function runAhead(
  session: Session,
  name: string,
  text: string,
  values: readonly Value[],
): Promise<readonly Row[]> {
  const { ear } = session.notifier;
  if (ear !== null) {
    try {
      return await session.database.ask(ear, { text, values });
    } catch (err) {
      session.logger.debug({ err }, `the connection that listens could not run ${name}; another one does`);
    }
  }
  return run(session, name, text, values);
}

/** A number of a row; null stays null. */
export function maybeNumber(value: string | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
