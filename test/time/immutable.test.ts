/** Triggers and calendars are values: nothing that was given to one or came out of it has a way back into it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  annualCalendar,
  anyOf,
  type Calendar,
  calendarFromJSON,
  calendarInterval,
  cron,
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

const from = () => new Date("2026-03-01T00:00:00Z");
const until = () => new Date("2026-04-01T00:00:00Z");

/** Everything that a trigger says. */
const saysTrigger = (trigger: Trigger) =>
  JSON.stringify([trigger.upcoming(5, from()), trigger.previous(until()), trigger, trigger.describe(), `${trigger}`]);
const saysCalendar = (calendar: Calendar) =>
  JSON.stringify([
    Array.from({ length: 60 }, (_, day) => calendar.excludes(new Date(Date.UTC(2026, 2, day, 12)))),
    calendar,
    calendar.describe(),
  ]);

/** Changes whatever can be changed in a value. */
function wreck(value: unknown): void {
  if (value instanceof Date) value.setTime(0);
  else if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const [key, inner] of Object.entries(value)) {
      wreck(inner);
      Object.assign(value, { [key]: "wrecked" });
    }
  }
}

test("what was given to a trigger can be changed afterwards without changing it", () => {
  const date = (text: string) => new Date(`2026-03-${text}:00:00Z`);
  const [start, end, at, excluded, included] = ["01T09", "30T09", "05T09", "03T09", "07T11"].map(date);
  assert.ok(start && end && at && excluded && included);
  const [exclude, include, parts, days] = [
    [excluded],
    [included],
    [interval("1h", { start }), once(at)],
    ["MON", "TUE"],
  ];
  const triggers = [
    interval("1h", { start, end }),
    once(at),
    recurrence("FREQ=DAILY", { start, exclude, include }),
    calendarInterval(1, "day", { start }),
    dailyInterval("1h", { weekdays: days as ["MON", "TUE"] }),
    anyOf(...parts),
    except(interval("1h", { start }), holidayCalendar(["2026-03-01"])),
  ];
  const said = triggers.map(saysTrigger);
  for (const given of [start, end, at, excluded, included]) given.setTime(0);
  exclude.push(date("04T09"));
  for (const list of [include, parts, days]) list.pop();
  assert.deepEqual(triggers.map(saysTrigger), said);
});

test("what a trigger gave out can be changed without changing it, and so can the JSON it was made of", () => {
  const start = "2026-03-01T09:00:00Z";
  const triggers = [
    cron("0 3 * * *", { timeZone: "Europe/Oslo" }),
    interval("1h", { start }),
    once("2026-03-05T09:00:00Z"),
    recurrence("FREQ=DAILY;COUNT=9", { start: "2026-03-01T09:00:00", timeZone: "UTC", exclude: ["2026-03-03"] }),
    anyOf(cron("0 3 * * *"), cron("0 4 * * *")),
    except(cron("0 3 * * *"), weeklyCalendar()),
    jitter(cron("0 3 * * *"), "5m", { key: "a" }),
  ];
  for (const trigger of triggers) {
    const said = saysTrigger(trigger);
    const json = structuredClone(trigger.toJSON());
    const again = triggerFromJSON(json);
    for (const given of [trigger.toJSON(), trigger.next(from()), trigger.upcoming(5, from()), json]) wreck(given);
    wreck(trigger.next(trigger.next(from()) ?? from(), { inclusive: true }));
    assert.deepEqual([saysTrigger(trigger), saysTrigger(again)], [said, said]);
  }
});

test("calendars are as immutable as triggers", () => {
  const [weekdays, dates] = [["SAT", "SUN"] as ("SAT" | "SUN")[], ["2026-03-04"]];
  const calendars = [
    weeklyCalendar(weekdays),
    holidayCalendar(dates),
    monthlyCalendar([1, 2]),
    annualCalendar(["12-24"]),
  ];
  const said = calendars.map(saysCalendar);
  const json = calendars.map((calendar) => structuredClone(calendar.toJSON()));
  const again = json.map(calendarFromJSON);
  for (const value of [weekdays, dates, ...json, ...calendars.map((calendar) => calendar.toJSON())]) wreck(value);
  weekdays.pop();
  assert.deepEqual([calendars.map(saysCalendar), again.map(saysCalendar)], [said, said]);
});
