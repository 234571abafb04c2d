/** What the dashboard is made of: the store, and what the process it runs in can tell and do. */
import type { Store, StoredSchedule } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock } from "../../time/index.ts";
import type { OperateApi, ScheduleFormFacts, ScheduleFormView, ServiceRow } from "../api.ts";
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
  /** `allow`, `skip`, `queue` or `replace`. */
  readonly overlap: string | null;
  readonly queue: string | null;
}

/** What the dashboard asks of scheduling. */
export interface ScheduleDesk {
  describe(schedule: StoredSchedule): ScheduleFacts;
  /** The next fires, exclusions applied, in milliseconds since 1970 UTC. */
  upcoming(schedule: StoredSchedule, count: number): Promise<readonly number[]>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** The groups that are paused as a whole. */
  pausedGroups(): Promise<readonly string[]>;
  /** How many of its schedules were not paused before. */
  pauseGroup(group: string): Promise<number>;
  /** How many of its schedules were paused before. */
  resumeGroup(group: string): Promise<number>;
  /** Makes a job of it now; its id. */
  trigger(id: string): Promise<string | null>;
  /** Makes, changes and removes schedules. Left out: that cannot be done here. */
  readonly editor?: ScheduleEditor;
}

/** A draft whose input was read: a value, or nothing when there is none. */
type WithInput<Body> = Body extends unknown
  ? Omit<Body, "input"> & { readonly input?: { readonly value: unknown } }
  : never;

/** Makes, changes and removes schedules at run time. Mistakes are thrown as the library's own errors, and nothing is written then. */
export interface ScheduleEditor {
  /** The jobs that this process knows. */
  jobs(): ScheduleFormView["jobs"];
  /** What a form starts from. @throws NS_SCHEDULE_INVALID when the schedule cannot be read here */
  facts(schedule: StoredSchedule): ScheduleFormFacts;
  /** The input as JSON text. */
  input(schedule: StoredSchedule): string;
  create(draft: WithInput<OperateApi["api/schedules/create"]["body"]>): Promise<void>;
  /** @throws NS_SCHEDULE_STALE when the schedule has another revision by now */
  update(changes: WithInput<OperateApi["api/schedules/update"]["body"]>): Promise<void>;
  remove(id: string): Promise<void>;
}
