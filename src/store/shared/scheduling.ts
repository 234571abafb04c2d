/** What every store refuses of schedules and their moves, and how their groups are counted. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { Fire, NewSchedule, StoredGroup } from "../contract.ts";
import { checkJobs, checkName, checkText } from "./check.ts";

/** Refuses schedules that cannot be kept, and expectations that do not match them. */
export function checkSchedules(schedules: readonly NewSchedule[], expected: readonly number[] | undefined): void {
  for (const schedule of schedules) {
    checkName(schedule.id, "schedule: id");
    const what = `schedule ${show(schedule.id)}`;
    checkName(schedule.job, `${what}: job`);
    checkText(schedule.group, `${what}: group`);
    checkText(schedule.definition, `${what}: definition`);
    if (schedule.nextAt !== null) checkInstant(schedule.nextAt, `${what}: nextAt`);
  }
  checkExpected("saveSchedules", schedules.length, expected);
}

/** Refuses expectations that do not match the schedules that they are about. */
export function checkExpected(call: string, count: number, expected: readonly number[] | undefined): void {
  if (expected === undefined || expected.length === count) return;
  const message = `${call} got ${expected.length} expected revisions for ${count} schedules. Give one each.`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}

/** Refuses moves that cannot be written; nothing of the call is written then. */
export function checkFires(fires: readonly Fire[]): void {
  for (const { schedule, occurrences, nextAt, definition, cancel } of fires) {
    const what = `schedule ${show(schedule)}`;
    if (nextAt !== null) checkInstant(nextAt, `${what}: nextAt`);
    if (definition !== undefined) checkText(definition, `${what}: definition`);
    if (cancel !== undefined) checkText(cancel.reason, `${what}: reason of a cancellation`);
    for (const { at, job, reason } of occurrences) {
      checkInstant(at, `${what}: occurrence`);
      if (reason !== undefined) checkText(reason, `${what}: reason`);
      if (job !== undefined) checkJobs([job]);
    }
  }
}

/** The groups of schedules that are there to be counted one by one. */
export function groupsOf(schedules: Iterable<Pick<NewSchedule, "group" | "paused">>): StoredGroup[] {
  const counts = new Map<string, { schedules: number; paused: number }>();
  for (const { group, paused } of schedules) {
    let count = counts.get(group);
    if (count === undefined) counts.set(group, (count = { schedules: 0, paused: 0 }));
    count.schedules++;
    if (paused) count.paused++;
  }
  return Array.from(counts, ([group, count]) => ({ group, ...count }));
}

function checkInstant(at: number, what: string): void {
  if (Number.isInteger(at) && Math.abs(at) <= 8_640_000_000_000_000) return;
  const message = `${what} is ${show(at)}. Give whole milliseconds since 1970 within the range of dates.`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}
