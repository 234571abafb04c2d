/** Timelines for tests: a time every so often, and nothing else. */
import type { Timeline } from "../../src/scheduling/timeline.ts";

/** A time every `step` milliseconds, from `start` to `end`. */
export function every(step: number, start = -Infinity, end = Infinity): Timeline {
  const fit = (at: number) => (at > end ? null : at);
  return {
    atOrAfter: (instant) => fit(Math.ceil(Math.max(instant, start) / step) * step),
    after: (instant) => fit(Math.max(Math.floor(instant / step) * step + step, Math.ceil(start / step) * step)),
    atOrBefore(instant) {
      const at = Math.floor(Math.min(instant, end) / step) * step;
      return at < start ? null : at;
    },
    excludes: () => false,
  };
}
