/** What the dashboard is made of: the store, and what the process it runs in can tell and do. */
import type { Store, StoredSchedule } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock } from "../../time/index.ts";
import type { ServiceRow } from "../api.ts";
import type { IsHidden } from "./redact.ts";

/** Everything a route may need. */
export interface DashboardParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly title: string;
  readonly isHidden: IsHidden;
  /** The hosted services of this process; null when there is no host. */
  readonly services: (() => readonly ServiceRow[]) | null;
  /** Null when nothing here knows schedules: they are then listed from the store, without times and actions. */
  readonly schedules: ScheduleDesk | null;
}

/** What the stored definition of a schedule says, in words. */
export interface ScheduleFacts {
  /** In words: `At 03:00 (Europe/Oslo)`. */
  readonly trigger: string;
  /** As it was written, where it was: `0 3 * * *`. */
  readonly expression: string | null;
  readonly timeZone: string | null;
  readonly misfire: string | null;
  readonly queue: string | null;
}

/** What the dashboard asks of scheduling. */
export interface ScheduleDesk {
  describe(schedule: StoredSchedule): ScheduleFacts;
  /** The next fires, exclusions applied, in milliseconds since 1970 UTC. */
  upcoming(schedule: StoredSchedule, count: number): Promise<readonly number[]>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Makes a job of it now; its id. */
  trigger(id: string): Promise<string | null>;
}
