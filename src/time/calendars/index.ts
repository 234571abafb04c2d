/** Calendars: times at which schedules do not fire. */
export { type Calendar, type CalendarJSON, type CalendarOptions, includedFrom, includedUntil } from "./calendar.ts";
export { calendarFromJSON } from "./calendar-json.ts";
export {
  type CronCalendarOptions,
  chainedCalendar,
  cronCalendar,
  type DailyCalendarOptions,
  dailyCalendar,
} from "./clock-calendars.ts";
export { annualCalendar, type DayOfYear, holidayCalendar, monthlyCalendar, weeklyCalendar } from "./day-calendars.ts";
export { type NationalHolidaysOptions, nationalHolidays } from "./national-holidays.ts";
