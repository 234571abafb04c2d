/** The three moments of an application's life, as signals and as callbacks that are awaited. */
import { setMaxListeners } from "node:events";
import { NightshiftError } from "../errors/index.ts";
import { token } from "../services/index.ts";
import type { Clock, Timer } from "../time/index.ts";

/** Runs at a moment of the host's life. May be asynchronous; an error is logged and stops nothing. */
export type LifetimeCallback = () => Promise<void> | void;

/**
 * The life of the application, injected by whoever wants to know it or to end it.
 *
 * @example
 * ```ts
 * import { HostLifetime } from "nightshift";
 *
 * class OnceADay {
 *   static readonly inject = [HostLifetime] as const;
 *   readonly lifetime: HostLifetime;
 *   constructor(lifetime: HostLifetime) {
 *     this.lifetime = lifetime;
 *   }
 *   finish() {
 *     this.lifetime.stopApplication("all work is done");
 *   }
 * }
 * ```
 */
export interface HostLifetime {
  /** Aborted when every service has started. */
  readonly started: AbortSignal;
  /** Aborted when the application begins to stop. */
  readonly stopping: AbortSignal;
  /** Aborted when every service has stopped. */
  readonly stopped: AbortSignal;
  /**
   * Registers a callback; the host's start ends after it. Run in the order of registration. Asked to stop, the host waits
   * for it 5 s more: work that goes on belongs to a service.
   */
  onStarted(callback: LifetimeCallback): void;
  /** Registers a callback; services stop after it. The last registered runs first. */
  onStopping(callback: LifetimeCallback): void;
  /** Registers a callback; the host's stop ends after it. The last registered runs first. */
  onStopped(callback: LifetimeCallback): void;
  /** Asks the application to stop. Whoever runs the host then stops it; asking again does nothing. */
  stopApplication(reason?: string): void;
}

/** The life of the application, injected. */
export const HostLifetime = token<HostLifetime>("HostLifetime");

type Moment = "started" | "stopping" | "stopped";

/** How long callbacks of the start may go on once the application was asked to stop, before the stop goes on without them. */
const STARTED_GRACE = 5_000;

/** The host's side: makes the moments happen. */
export class LifetimeController implements HostLifetime {
  readonly #controllers = { started: signalSource(), stopping: signalSource(), stopped: signalSource() };
  readonly #callbacks: Record<Moment, LifetimeCallback[]> = { started: [], stopping: [], stopped: [] };
  readonly #notified: Partial<Record<Moment, Promise<void>>> = {};
  readonly #clock: Clock;
  readonly #onError: (moment: Moment, error: unknown) => void;

  constructor(clock: Clock, onError: (moment: Moment, error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  get started(): AbortSignal {
    return this.#controllers.started.signal;
  }

  get stopping(): AbortSignal {
    return this.#controllers.stopping.signal;
  }

  get stopped(): AbortSignal {
    return this.#controllers.stopped.signal;
  }

  onStarted(callback: LifetimeCallback): void {
    this.#callbacks.started.push(callback);
  }

  onStopping(callback: LifetimeCallback): void {
    this.#callbacks.stopping.unshift(callback);
  }

  onStopped(callback: LifetimeCallback): void {
    this.#callbacks.stopped.unshift(callback);
  }

  stopApplication(reason = "The application asked to stop."): void {
    void this.notify("stopping", reason);
  }

  /** Aborts the moment's signal and runs its callbacks, once; callbacks of an earlier moment finish first. Never rejects. */
  notify(moment: Moment, reason: string): Promise<void> {
    this.#notified[moment] ??= this.#run(moment, reason);
    return this.#notified[moment];
  }

  /** Waits for the callbacks of the start; once the application was asked to stop, not for ever. */
  async startedCallbacks(): Promise<void> {
    const { stopping } = this;
    const late = Promise.withResolvers<void>();
    let timer: Timer | undefined;
    const onStop = () => {
      timer = this.#clock.setTimer(STARTED_GRACE, late.resolve);
    };
    if (stopping.aborted) onStop();
    else stopping.addEventListener("abort", onStop, { once: true });
    await Promise.race([this.#notified.started, late.promise]);
    stopping.removeEventListener("abort", onStop);
    timer?.cancel();
  }

  async #run(moment: Moment, reason: string): Promise<void> {
    this.#controllers[moment].abort(new NightshiftError("NS_ABORTED", reason));
    // A callback of an earlier moment may be what brought this one about: only a turn later is its promise known.
    await Promise.resolve();
    if (moment === "stopping" && this.#notified.started !== undefined) await this.startedCallbacks();
    if (moment === "stopped") await this.#notified.stopping;
    for (const callback of this.#callbacks[moment]) {
      try {
        await callback();
      } catch (error) {
        this.#onError(moment, error);
      }
    }
  }
}

function signalSource(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
