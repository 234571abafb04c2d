/** How late the event loop is: a timer that looks how late it is itself. */
import { type Clock, systemClock, type Timer } from "../time/index.ts";

/** The lateness of the event loop. */
export interface LoopLag extends Disposable {
  /** The worst of about the last ten seconds, in milliseconds. */
  worst(): number;
}

const LOOKS_BACK = 10_000;

/** Begins to measure. It measures this process, so it uses the machine's clock; a test may give another. */
export function measureLoopLag(clock: Clock = systemClock, maxLag = 10_000): LoopLag {
  // A block is seen shorter by up to one period: that must be little beside what is allowed.
  const every = Math.min(500, Math.max(20, maxLag / 5));
  const most = Math.ceil(LOOKS_BACK / every);
  const samples: number[] = [];
  let due = clock.monotonic() + every;
  let timer: Timer;
  const look = () => {
    const now = clock.monotonic();
    samples.push(Math.max(0, now - due));
    if (samples.length > most) samples.shift();
    due = now + every;
    timer = clock.setTimer(every, look, { ref: false });
  };
  timer = clock.setTimer(every, look, { ref: false });
  return {
    // A look that is overdue right now counts too: whoever asks may run before it.
    worst: () => Math.max(0, clock.monotonic() - due, ...samples),
    [Symbol.dispose]: () => timer.cancel(),
  };
}
