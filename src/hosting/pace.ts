/** When the next tick is due: on a grid of the monotonic clock, or by a trigger on the wall clock. */
import { type Clock, sleep, type Trigger } from "../time/index.ts";

/** A tick that is due. */
export interface Due {
  readonly plannedAt: Date;
  /** Ticks that were passed over since the one before. */
  readonly missed: number;
}

/** Waits for one tick after the other. Asked again when a tick's work is done. */
export interface Pace {
  /** Resolves when the next tick is due, with null when there is none any more; rejects when the signal is aborted. */
  next(signal: AbortSignal): Promise<Due | null>;
}

/** What both paces can do. */
export interface Pacing {
  /** A tick that fell due while the work was going on runs right after it (several as one), instead of being skipped. */
  readonly queue: boolean;
  /** The first tick is due at once. */
  readonly immediately: boolean;
}

/** The wall clock may be set while one waits: it is looked at again at least this often. */
const LONGEST_WAIT = 60_000;

/** Ticks on a grid of `period` milliseconds from the first call. */
export function periodPace(clock: Clock, period: number, { queue, immediately }: Pacing): Pace {
  let start: number | undefined;
  let last = -1;
  return {
    async next(signal) {
      const now = clock.monotonic();
      start ??= now;
      const passed = Math.floor((now - start) / period);
      const first = last < 0 && !immediately ? 1 : last + 1;
      const due = last < 0 ? first : Math.max(first, queue ? passed : passed + 1);
      const moment = start + due * period;
      // The wall time that belongs to the grid's moment.
      const plannedAt = new Date(clock.now() + (moment - now));
      if (moment > now) await sleep(clock, moment - now, signal);
      signal.throwIfAborted();
      const missed = due - first;
      last = due;
      return { plannedAt, missed };
    },
  };
}

/** Ticks at a trigger's fire times. */
export function triggerPace(clock: Clock, trigger: Trigger, { queue, immediately }: Pacing): Pace {
  let last: Date | undefined;
  return {
    async next(signal) {
      const now = new Date(clock.now());
      if (last === undefined && immediately) {
        last = now;
        return { plannedAt: now, missed: 0 };
      }
      const passed = last === undefined ? [] : between(trigger, last, now);
      const queued = queue ? passed.at(-1) : undefined;
      const due = queued ?? trigger.next(now);
      if (due === null) return null;
      while (clock.now() < due.getTime()) {
        await sleep(clock, Math.min(LONGEST_WAIT, due.getTime() - clock.now()), signal);
      }
      signal.throwIfAborted();
      last = due;
      return { plannedAt: due, missed: Math.max(0, passed.length - (queued === undefined ? 0 : 1)) };
    },
  };
}

/** The fire times after `last`, up to `now`; counted up to a thousand, as only their number and the last one matter. */
function between(trigger: Trigger, last: Date, now: Date): Date[] {
  const latest = trigger.previous(new Date(now.getTime() + 1));
  if (latest === null || latest <= last) return [];
  const times = trigger.upcoming(1_000, last).filter((time) => time < latest);
  return [...times, latest];
}
