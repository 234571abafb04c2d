/** What an open store has: the way to the database, what it remembers of it, and who is told of changes. */
import type { LoggerLike } from "../../telemetry/logger.ts";
import type { Clock } from "../../time/index.ts";
import type { Wake } from "../contract.ts";
import type { Listeners } from "../shared/listeners.ts";
import type { Database, Repeat } from "./database.ts";
import type { Row } from "./driver.ts";
import type { Floors } from "./floors.ts";
import type { Names } from "./names.ts";
import type { News, Notifier } from "./notifier.ts";

export interface Session {
  readonly database: Database;
  readonly names: Names;
  readonly floors: Floors;
  readonly notifier: Notifier;
  readonly listeners: Listeners;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  /** The quoted schema, for statements. */
  readonly s: string;
}

/** Tells this process at once and the others soon. Called after the commit. */
export function tell(session: Session, news: News): void {
  hear(session, news);
  session.notifier.say(news);
}

/** Takes in news, ours or another process's. */
export function hear({ floors, listeners, logger }: Session, news: News): void {
  for (const [lane, id] of news.lanes ?? []) floors.lower(lane, id);
  if (listeners.any) listeners.emit(wakesOf(news), logger);
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

/** Runs a named statement. */
export function run(
  session: Session,
  name: string,
  text: string,
  values: readonly unknown[],
  repeat: Repeat = "always",
): Promise<readonly Row[]> {
  return session.database.run({ name, text }, values, repeat);
}

/** A number of a row; null stays null. */
export function maybeNumber(value: string | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
