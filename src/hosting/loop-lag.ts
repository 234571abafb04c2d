/** How late the event loop is: a timer that looks how late it is itself. */
import { type Clock, systemClock, type Timer } from "../time/index.ts";

/** The lateness of the event loop. */
export interface LoopLag extends Disposable {
  /** The worst of about the last ten seconds, in milliseconds. */
  worst(): number;
}

const EVERY = 500;
const SAMPLES = 20;

/** Begins to measure. It measures this process, so it uses the machine's clock; a test may give another. */
export function measureLoopLag(clock: Clock = systemClock): LoopLag {
  const samples: number[] = [];
  let due = clock.monotonic() + EVERY;
  let timer: Timer;
  const look = () => {
    const now = clock.monotonic();
    samples.push(Math.max(0, now - due));
    if (samples.length > SAMPLES) samples.shift();
    due = now + EVERY;
    timer = clock.setTimer(EVERY, look, { ref: false });
  };
  timer = clock.setTimer(EVERY, look, { ref: false });
  return {
    // A look that is overdue right now counts too: whoever asks may run before it.
    worst: () => Math.max(0, clock.monotonic() - due, ...samples),
    [Symbol.dispose]: () => timer.cancel(),
  };
}
