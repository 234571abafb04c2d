/** Which days a recurrence rule means. Every BY part about days is a question that a single day can answer. */
import { civilOf, dayNumber, isLeapYear, monthLength, weekdayOf } from "../civil.ts";
import type { ByDay, RecurrenceParts } from "./parts.ts";

/** A test of day numbers. */
export type DayFilter = (day: number) => boolean;

/** Fills in from the start what a rule leaves open, as RFC 5545 wants it. */
export function completeDays(parts: RecurrenceParts, startDay: number): RecurrenceParts {
  const { freq, byMonth, byWeekNo, byYearDay, byMonthDay, byDay } = parts;
  if (byYearDay.length > 0 || byMonthDay.length > 0 || byDay.length > 0) return parts;
  const start = civilOf(startDay);
  const sameWeekday: readonly ByDay[] = [{ weekday: weekdayOf(startDay), nth: 0 }];
  if (freq === "WEEKLY" || (freq === "YEARLY" && byWeekNo.length > 0)) return { ...parts, byDay: sameWeekday };
  if (freq === "MONTHLY") return { ...parts, byMonthDay: [start.day] };
  if (freq !== "YEARLY") return parts;
  return { ...parts, byMonthDay: [start.day], byMonth: byMonth.length > 0 ? byMonth : [start.month] };
}

/** The filter of a completed rule. */
export function dayFilter(parts: RecurrenceParts): DayFilter {
  const { freq, byMonth, byWeekNo, byYearDay, byMonthDay, byDay, weekStart } = parts;
  const months = new Set(byMonth);
  const monthDays = new Set(byMonthDay);
  const yearDays = new Set(byYearDay);
  const weekdays = new Set(byDay.filter(({ nth }) => nth === 0).map(({ weekday }) => weekday));
  const numbered = byDay.filter(({ nth }) => nth !== 0);
  const inYear = freq === "YEARLY" && byMonth.length === 0;

  return (day) => {
    const { year, month, day: date } = civilOf(day);
    if (months.size > 0 && !months.has(month)) return false;
    if (monthDays.size > 0 && !monthDays.has(date) && !monthDays.has(date - monthLength(year, month) - 1)) return false;
    if (yearDays.size > 0) {
      const dayOfYear = day - dayNumber(year, 1, 1) + 1;
      if (!yearDays.has(dayOfYear) && !yearDays.has(dayOfYear - yearLength(year) - 1)) return false;
    }
    if (byWeekNo.length > 0) {
      const { week, weeks } = weekOf(day, year, weekStart);
      if (!byWeekNo.includes(week) && !byWeekNo.includes(week - weeks - 1)) return false;
    }
    if (byDay.length === 0 || weekdays.has(weekdayOf(day))) return true;
    if (numbered.length === 0) return false;
    const index = inYear ? day - dayNumber(year, 1, 1) : date - 1;
    const length = inYear ? yearLength(year) : monthLength(year, month);
    const fromStart = Math.floor(index / 7) + 1;
    const fromEnd = -(Math.floor((length - 1 - index) / 7) + 1);
    const weekday = weekdayOf(day);
    return numbered.some((item) => item.weekday === weekday && (item.nth === fromStart || item.nth === fromEnd));
  };
}

const yearLength = (year: number) => (isLeapYear(year) ? 366 : 365);

/** The number of a day's week, and how many weeks that week's year has. Week 1 is the first with four days in its year. */
function weekOf(day: number, year: number, weekStart: number): { readonly week: number; readonly weeks: number } {
  let weekYear = year;
  if (day >= firstWeek(year + 1, weekStart)) weekYear = year + 1;
  else if (day < firstWeek(year, weekStart)) weekYear = year - 1;
  const first = firstWeek(weekYear, weekStart);
  return { week: Math.floor((day - first) / 7) + 1, weeks: (firstWeek(weekYear + 1, weekStart) - first) / 7 };
}

function firstWeek(year: number, weekStart: number): number {
  const newYear = dayNumber(year, 1, 1);
  const back = (weekdayOf(newYear) - weekStart + 7) % 7;
  return back <= 3 ? newYear - back : newYear + 7 - back;
}
