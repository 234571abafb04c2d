/** A clock on which time can pass while no timer fires, as it does for a process whose event loop is blocked. */
import { type Clock, VirtualClock } from "../../src/time/index.ts";

export function blockableClock() {
  const clock = new VirtualClock();
  let stood = 0;
  const blocked: Clock = {
    now: () => clock.now() + stood,
    monotonic: () => clock.monotonic() + stood,
    setTimer: (delay, then) => clock.setTimer(delay, then),
  };
  const block = (milliseconds: number) => {
    stood += milliseconds;
  };
  return { clock, blocked, block };
}
