/** Where everything gets its time from. Injected, so that a test can run a year in a second. */

/**
 * A source of time. The library never reads `Date.now()` or sets a timer elsewhere.
 *
 * Callers that wait for work which may never come give `ref: false`, so that a forgotten timer does not keep the
 * process alive.
 */
export interface Clock {
  /** The wall clock, in milliseconds since 1970 UTC. It may jump. */
  now(): number;
  /** A clock that only goes forward, in milliseconds from an arbitrary start: for measuring. */
  monotonic(): number;
  /** Calls `callback` once after `delay` milliseconds (at once for 0 or less). Disposing the timer cancels it. */
  setTimer(delay: number, callback: () => void, options?: TimerOptions): Timer;
}

/** How a timer is set. */
export interface TimerOptions {
  /** Whether the timer keeps the process alive. Default `true`. */
  readonly ref?: boolean;
}

/** A timer that can be cancelled; cancelling twice, or after it fired, is harmless. */
export interface Timer extends Disposable {
  cancel(): void;
}

/** `setTimeout` cannot wait longer than this (2^31 - 1 ms, about 24.8 days); longer delays are chained. */
const LONGEST_TIMEOUT = 2_147_483_647;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delay, callback, options) {
    let handle: NodeJS.Timeout;
    const arm = (remaining: number) => {
      const step = Math.min(remaining, LONGEST_TIMEOUT);
      handle = setTimeout(() => (remaining > step ? arm(remaining - step) : callback()), Math.max(0, step));
      if (options?.ref === false) handle.unref();
    };
    arm(delay);
    const cancel = () => clearTimeout(handle);
    return { cancel, [Symbol.dispose]: cancel };
  },
};

/**
 * Resolves after `delay` milliseconds of the given clock; rejects with the signal's reason as soon as it is aborted.
 * The timer is cancelled then, so nothing keeps the process alive.
 */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delay, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Waits for so long, or until the signal is aborted. Never rejects: the caller looks at the signal itself. */
export function rest(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return sleep(clock, delay, signal).catch(() => undefined);
}
