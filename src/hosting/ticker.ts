/** A steady beat for loops: ticks that were missed while the body ran come as one. */
import { NightshiftError } from "../errors/index.ts";
import { type Clock, type Duration, parseDuration, sleep, systemClock } from "../time/index.ts";
import { isCancellation } from "./abort.ts";

/** How {@link ticker} beats. */
export interface TickerOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Also tick at once. Default `false`: the first tick comes after one period. */
  readonly immediately?: boolean;
}

/** One tick. */
export interface TickInfo {
  /** Counts from 0. */
  readonly index: number;
  /** How many ticks fell due while the body was busy and are not made up for. */
  readonly missed: number;
}

/**
 * Ticks every `every`, on a fixed grid from the first call. Never overlaps, never bursts; the iteration ends when the
 * signal is aborted.
 *
 * @throws NS_DURATION_INVALID when `every` is not a duration, NS_OPTION_INVALID when it is zero
 * @example
 * ```ts
 * import { ticker } from "nightshift";
 *
 * const stop = new AbortController();
 * for await (const tick of ticker("50ms", { signal: stop.signal })) {
 *   if (tick.index === 2) stop.abort();
 * }
 * ```
 */
export function ticker(every: Duration, options: TickerOptions = {}): AsyncIterable<TickInfo> {
  const period = parseDuration(every, "ticker's period");
  if (period === 0)
    throw new NightshiftError("NS_OPTION_INVALID", "ticker's period is 0. Give more than 0 milliseconds.");
  const clock = options.clock ?? systemClock;
  return { [Symbol.asyncIterator]: () => ticks(period, clock, options) };
}

async function* ticks(period: number, clock: Clock, options: TickerOptions): AsyncGenerator<TickInfo> {
  const { signal } = options;
  const start = clock.monotonic();
  let beat = options.immediately === true ? 0 : 1;
  for (let index = 0; ; index++) {
    try {
      const remaining = start + beat * period - clock.monotonic();
      if (remaining > 0) await sleep(clock, remaining, signal);
    } catch (error) {
      if (signal?.aborted === true && (error === signal.reason || isCancellation(error))) return;
      throw error;
    }
    if (signal?.aborted === true) return;
    // A body that took longer than a period skips the beats it missed and takes up the grid again.
    const due = Math.max(beat, Math.floor((clock.monotonic() - start) / period));
    yield { index, missed: due - beat };
    beat = due + 1;
  }
}
