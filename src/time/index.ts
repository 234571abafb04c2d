/** The ground floor: time, pure. Nothing here knows a store, a job or a host. */
export { type CalendarIntervalOptions, type CalendarUnit, calendarInterval } from "./calendar-interval.ts";
export {
  annualCalendar,
  type Calendar,
  type CalendarJSON,
  type CalendarOptions,
  type CronCalendarOptions,
  calendarFromJSON,
  chainedCalendar,
  cronCalendar,
  type DailyCalendarOptions,
  type DayOfYear,
  dailyCalendar,
  holidayCalendar,
  monthlyCalendar,
  type NationalHolidaysOptions,
  nationalHolidays,
  weeklyCalendar,
} from "./calendars/index.ts";
export { type Clock, sleep, systemClock, type Timer, type TimerOptions } from "./clock.ts";
export { anyOf, except, jitter } from "./combinators.ts";
export { type CronOptions, cron } from "./cron/cron.ts";
export {
  type CronExplanation,
  type ExplainedFire,
  type ExplainOptions,
  explainCron,
  explainFire,
} from "./cron/explain.ts";
export type { CronDialect } from "./cron/fields.ts";
export { type DailyIntervalOptions, dailyInterval } from "./daily-interval.ts";
export {
  type Duration,
  type DurationUnit,
  formatDuration,
  parseDuration,
  type TemporalDuration,
} from "./duration.ts";
export { type IntervalOptions, interval } from "./interval.ts";
export type { Weekday } from "./limits.ts";
export { once } from "./once.ts";
export { type RecurrenceOptions, recurrence } from "./recurrence/recurrence.ts";
export { withHashKey } from "./rule-trigger.ts";
export type { PlainTime, TimeOfDay } from "./time-of-day.ts";
export type { Moment, PlainReading, SearchOptions, Trigger, TriggerJSON } from "./trigger.ts";
export { triggerFromJSON } from "./trigger-json.ts";
export { VirtualClock } from "./virtual-clock.ts";
export type { GapRule } from "./zoned-search.ts";
