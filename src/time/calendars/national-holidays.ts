/** National holidays from the optional peer `date-holidays`, as a calendar of dates that can be stored without it. */
import { messageOf, NightshiftError, show } from "../../errors/index.ts";
import { checkOptions, wholeNumber } from "../limits.ts";
import type { Calendar, CalendarOptions } from "./calendar.ts";
import { holidayCalendar } from "./day-calendars.ts";

/** Which holidays are meant. */
export interface NationalHolidaysOptions extends CalendarOptions {
  /** The first year, included. */
  readonly from: number;
  /** The last year, included; at most 200 years after the first. */
  readonly to: number;
  /** A state or region inside the country, such as `"by"` for Bavaria. Default: the whole country's. */
  readonly state?: string;
  /** A region inside the state. Default: none. */
  readonly region?: string;
  /** Which kinds count: `public`, `bank`, `school`, `optional`, `observance`. Default `["public"]`. */
  readonly kinds?: readonly string[];
}

interface HolidayList {
  getHolidays(
    year: number,
  ): readonly { readonly date: string; readonly start: Date; readonly end: Date; readonly type: string }[] | false;
}
type HolidaysClass = { new (country: string, state?: string, region?: string): HolidayList };

/**
 * A calendar that leaves out a country's holidays. The dates are worked out once and stored with the calendar, so a
 * schedule does not need the library, nor change when its data does; make a new one to take in new laws.
 *
 * Needs the package `date-holidays` (`npm install date-holidays`).
 *
 * @param country an ISO 3166 code such as `"NO"`
 * @throws NS_CALENDAR_INVALID when the package is missing or does not know the country, state or region
 * @example
 * ```ts
 * import { nationalHolidays } from "nightshift/time";
 *
 * await nationalHolidays("NO", { from: 2026, to: 2030, timeZone: "Europe/Oslo" });
 * ```
 */
export async function nationalHolidays(country: string, options: NationalHolidaysOptions): Promise<Calendar> {
  checkOptions("nationalHolidays()", options, ["from", "to", "state", "region", "kinds", "timeZone"]);
  const { state, region, kinds = ["public"], timeZone = "UTC" } = options;
  const from = wholeNumber("nationalHolidays()'s from", options.from, 1970, 9998, "NS_CALENDAR_INVALID");
  const to = wholeNumber("nationalHolidays()'s to", options.to, from, from + 200, "NS_CALENDAR_INVALID");
  const Holidays = await loadLibrary();
  const list = new Holidays(country, ...[state, region].filter((part) => part !== undefined));
  const dates = new Set<string>();
  for (let year = from; year <= to; year++) {
    const holidays = list.getHolidays(year);
    if (!holidays || holidays.length === 0) {
      const place = [country, state, region].filter((part) => part !== undefined).join(", ");
      throw new NightshiftError(
        "NS_CALENDAR_INVALID",
        `date-holidays knows no holidays for ${show(place)} in ${year}.`,
      );
    }
    for (const holiday of holidays) if (kinds.includes(holiday.type)) dates.add(holiday.date.slice(0, 10));
  }
  return holidayCalendar([...dates], { timeZone });
}

async function loadLibrary(): Promise<HolidaysClass> {
  // Not a literal, so that compilers and bundlers do not insist on an optional package.
  const name: string = "date-holidays";
  try {
    return ((await import(name)) as { default: HolidaysClass }).default;
  } catch (cause) {
    const message = `nationalHolidays() needs the package date-holidays: npm install date-holidays (${messageOf(cause)})`;
    throw new NightshiftError("NS_CALENDAR_INVALID", message, { cause });
  }
}
