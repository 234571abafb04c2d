/** Runs one step of a service within its time: first the signal says "leave", then nobody waits any longer. */
import { NightshiftError } from "../errors/index.ts";
import { type Clock, formatDuration } from "../time/index.ts";
import { follow } from "./abort.ts";

/** How long a step may take. */
export interface Bounds {
  readonly clock: Clock;
  /** Ends the step's time early. */
  readonly signal: AbortSignal;
  /** The step's own time in milliseconds, if it has one. */
  readonly timeout?: number | undefined;
  /** How long the step may go on after its signal was aborted. */
  readonly grace: number;
  /** For the message: "Mailer.stop". */
  readonly what: string;
}

/** How a step ended. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "abandoned" };

/** Runs `step` at once (its synchronous part before this returns). Never rejects. */
export async function bounded(step: (signal: AbortSignal) => unknown, bounds: Bounds): Promise<Outcome> {
  const { clock, signal, timeout, grace, what } = bounds;
  const controller = new AbortController();
  const unfollow = follow(signal, controller);
  const timer =
    timeout === undefined
      ? undefined
      : clock.setTimer(timeout, () => {
          const message = `${what} did not finish within ${formatDuration(timeout)}.`;
          controller.abort(new NightshiftError("NS_TIMEOUT", message, { details: { what, timeout } }));
        });
  const overrun = Promise.withResolvers<Outcome>();
  let graceTimer: Disposable | undefined;
  const onAbort = () => {
    graceTimer = clock.setTimer(grace, () => overrun.resolve({ kind: "abandoned" }));
  };
  if (controller.signal.aborted) onAbort();
  else controller.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([settle(step, controller.signal), overrun.promise]);
  } finally {
    unfollow();
    timer?.cancel();
    graceTimer?.[Symbol.dispose]();
    controller.signal.removeEventListener("abort", onAbort);
  }
}

async function settle(step: (signal: AbortSignal) => unknown, signal: AbortSignal): Promise<Outcome> {
  try {
    await step(signal);
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", error };
  }
}
