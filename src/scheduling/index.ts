/** Schedules on the store: declaring, firing, misfires, overlap, and the client for people. */

export {
  addSchedulesTo,
  DeclaredSchedules,
  type SchedulesSurroundings,
} from "./add-schedules.ts";
export type { CalendarInfo } from "./calendars.ts";
export { createSchedules, StandaloneSchedules } from "./create-schedules.ts";
export type { ScheduleState } from "./decide.ts";
export { Declarations, type Reconciled } from "./declarations.ts";
export { cron, interval, once } from "./declared-triggers.ts";
export type { JobDefaults, ScheduleSpec } from "./definition.ts";
export type { ScheduleGroup } from "./groups.ts";
export { type Leader, leadersOf } from "./leaders.ts";
export type { InputOption, ScheduleChanges, ScheduleOptions, ScheduleSettings } from "./options.ts";
export type { Misfire, MisfirePolicy, Overlap } from "./policies.ts";
export { type Occurrence, readSchedule, type ScheduleInfo, type ScheduleSettingsInfo } from "./schedule-info.ts";
export { Scheduler, type SchedulerTiming } from "./scheduler.ts";
export { type ResumeOptions, Schedules, type UpdateOptions } from "./schedules.ts";
