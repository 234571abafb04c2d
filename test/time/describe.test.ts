/** What triggers and calendars say of themselves, in each language. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  annualCalendar,
  anyOf,
  type CronOptions,
  calendarInterval,
  cron,
  dailyCalendar,
  dailyInterval,
  except,
  holidayCalendar,
  interval,
  jitter,
  monthlyCalendar,
  once,
  recurrence,
  type Trigger,
  triggerFromJSON,
  weeklyCalendar,
} from "../../src/time/index.ts";
import { english } from "../../src/time/language/english.ts";
import { french } from "../../src/time/language/french.ts";
import { german } from "../../src/time/language/german.ts";
import { norwegian } from "../../src/time/language/norwegian.ts";
import { spanish } from "../../src/time/language/spanish.ts";

const make = (expression: string, options: CronOptions = {}) =>
  triggerFromJSON({ type: "cron", expression, ...options });
const start = "2026-01-30T09:00:00";

const SAID: readonly (readonly [Trigger, Readonly<Record<string, string>>])[] = [
  [
    make("30 9,17 * * MON-FRI", { timeZone: "Europe/Oslo" }),
    {
      "en-GB": "At 09:30 and 17:30 on Monday to Friday (Europe/Oslo)",
      de: "Um 09:30 und 17:30 am Montag bis Freitag (Europe/Oslo)",
      fr: "À 09:30 et 17:30 du lundi au vendredi (Europe/Oslo)",
      es: "A las 09:30 y 17:30 de lunes a viernes (Europe/Oslo)",
      nb: "Kl. 09:30 og 17:30 på mandag til fredag (Europe/Oslo)",
    },
  ],
  [
    make("*/15 * * 1,7 *"),
    {
      "en-GB": "Every 15 minutes in January and July (UTC)",
      de: "Alle 15 Minuten im Januar und Juli (UTC)",
      fr: "Toutes les 15 minutes en janvier et juillet (UTC)",
      es: "Cada 15 minutos en enero y julio (UTC)",
      nb: "Hvert 15. minutt i januar og juli (UTC)",
    },
  ],
  [
    make("0 0 LW * *"),
    {
      "en-GB": "At 00:00 on the last weekday of the month (UTC)",
      de: "Um 00:00 am letzten Werktag des Monats (UTC)",
      fr: "À 00:00 le dernier jour ouvrable du mois (UTC)",
      es: "A las 00:00 el último día laborable del mes (UTC)",
      nb: "Kl. 00:00 den siste virkedag i måneden (UTC)",
    },
  ],
  [
    make("0 0 13 * 5"),
    {
      "en-GB": "At 00:00 on the 13th of the month or on Friday (UTC)",
      de: "Um 00:00 am 13. des Monats oder am Freitag (UTC)",
      fr: "À 00:00 le 13 du mois ou le vendredi (UTC)",
      es: "A las 00:00 el 13 del mes o el viernes (UTC)",
      nb: "Kl. 00:00 den 13. i måneden eller på fredag (UTC)",
    },
  ],
  [
    recurrence("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", { start, timeZone: "Europe/Oslo" }),
    {
      "en-GB": "Every month on the last Friday at 09:00 from 30 Jan 2026, 09:00:00 3 times (Europe/Oslo)",
      de: "Jeden Monat am letzten Freitag um 09:00 ab 30.01.2026, 09:00:00 3-mal (Europe/Oslo)",
    },
  ],
  [
    except(dailyInterval("10m", { from: "09:00", weekdays: ["MON"], countPerDay: 3 }), monthlyCalendar([1, "last"])),
    {
      "en-GB":
        "Every 10m from 09:00 to 24:00 on Monday, at most 3 times (UTC), except the 1st and last of every month (UTC)",
      de: "Alle 10m von 09:00 bis 24:00 am Montag, höchstens 3-mal (UTC), außer dem 1. und letzten jedes Monats (UTC)",
    },
  ],
];

test("a description is in the locale's language", () => {
  for (const [trigger, said] of SAID) {
    for (const [locale, text] of Object.entries(said)) assert.equal(trigger.describe(locale), text);
    assert.equal(trigger.describe(), said["en-GB"]);
    assert.equal(trigger.describe("nn-NO"), said["en-GB"], "a language that nobody has written is English");
  }
  assert.equal(make("30 17 * * *").describe("en-US"), "At 05:30 PM (UTC)");
  assert.equal(make("0 3 * * *").describe("de-AT"), "Um 03:00 (UTC)");
  assert.equal(make("0 3 * * *").describe("no"), "Kl. 03:00 (UTC)");
});

test("every kind of trigger and calendar says something in every language, and no place is left open", () => {
  const calendars = [
    weeklyCalendar(),
    monthlyCalendar([1, "last"]),
    annualCalendar(["12-24"]),
    holidayCalendar(["2026-05-01", "2026-05-17"]),
    dailyCalendar({ from: "22:00", to: "06:00", invert: true }),
  ];
  const triggers = [
    ...SAID.map(([trigger]) => trigger),
    interval("90m", { start: `${start}Z`, count: 3, end: "2027-01-01T00:00:00Z" }),
    calendarInterval(2, "month", { start, count: 1 }),
    once(`${start}Z`),
    jitter(anyOf(cron("H 3 * * *"), cron("0/7 2-9/3 L-2,3W * MON#2,FRIL")), "5m"),
    recurrence("FREQ=YEARLY;BYWEEKNO=20,-1;BYDAY=MO", { start }),
    recurrence("FREQ=YEARLY;BYDAY=-2FR,3MO", { start }),
    recurrence("FREQ=HOURLY;BYMINUTE=5;BYHOUR=3;BYSECOND=1;BYSETPOS=1,-1,-2", { start }),
    ...calendars.map((calendar) => except(cron("0 3 * * *"), calendar)),
  ];
  for (const locale of ["en", "de", "fr", "es", "nb"]) {
    for (const trigger of triggers) assert.doesNotMatch(trigger.describe(locale), /[{}]|undefined|^\s*$/);
  }
});

test("each language fills the same places", () => {
  const places = (phrases: object) =>
    JSON.stringify(phrases, (key, value: unknown) => {
      if (key === "tag" || typeof value === "function") return undefined;
      return typeof value === "string" ? [...new Set(value.match(/\{\d\}/g))].sort().join() : value;
    });
  for (const language of [german, french, spanish, norwegian]) {
    assert.equal(places(language), places(english), language.tag);
  }
});

test("what is no locale is refused", () => {
  for (const wrong of ["not a locale!", "", "e"]) {
    assert.throws(() => cron("0 3 * * *").describe(wrong), { code: "NS_OPTION_INVALID", message: /language tag/ });
  }
});
