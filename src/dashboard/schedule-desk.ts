/** What the dashboard shows of schedules and does to them, through the application's own client. */
import type { JobRegistry } from "../jobs/index.ts";
import { type Misfire, readSchedule, type Schedules } from "../scheduling/index.ts";
import type { StoredSchedule } from "../store/contract.ts";
import { formatDuration } from "../time/index.ts";
import { scheduleEditor } from "./schedule-editor.ts";
import type { ScheduleDesk, ScheduleFacts } from "./server/parts.ts";

/** A desk over a client. @param registry the jobs that schedules may be made of; without it they cannot be made */
export function scheduleDesk(schedules: Schedules, registry?: JobRegistry): ScheduleDesk {
  return {
    ...(registry === undefined ? {} : { editor: scheduleEditor(schedules, registry) }),
    describe,
    async upcoming(schedule, count) {
      // What cannot be read here has no times here; its row says so.
      if (readSchedule(schedule).settings === null) return [];
      return (await schedules.preview(schedule.id, count)).map((time) => time.getTime());
    },
    pause: async (id) => void (await schedules.pause(id)),
    resume: async (id) => void (await schedules.resume(id)),
    pausedGroups: () => schedules.pausedGroups(),
    pauseGroup: (group) => schedules.pauseGroup(group),
    resumeGroup: (group) => schedules.resumeGroup(group),
    trigger: async (id) => (await schedules.trigger(id)).id,
  };
}

function describe(stored: StoredSchedule): ScheduleFacts {
  const { settings, problem } = readSchedule(stored);
  if (settings === null) {
    const trigger = problem ?? "cannot be read here";
    return { trigger, expression: null, timeZone: null, misfire: null, overlap: null, queue: null };
  }
  const { expression, timeZone } = settings.trigger;
  return {
    trigger: settings.description ?? settings.times,
    expression: typeof expression === "string" ? expression : null,
    timeZone: typeof timeZone === "string" ? timeZone : null,
    misfire: misfireText(settings.misfire),
    overlap: settings.overlap,
    queue: settings.queue,
  };
}

/** `catch-up` with its bounds: `catch-up, the latest 100, none older than 1h`. */
function misfireText(misfire: Misfire): string {
  if (typeof misfire === "string") return misfire;
  const { policy, max, maxAge } = misfire;
  return [
    policy,
    ...(max === undefined ? [] : [`the latest ${max}`]),
    ...(typeof maxAge === "number" ? [`none older than ${formatDuration(maxAge)}`] : []),
  ].join(", ");
}
