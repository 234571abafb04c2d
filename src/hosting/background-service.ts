/** A hosted service with one long-running method, which the host watches. */
import { setMaxListeners } from "node:events";
import { NightshiftError } from "../errors/index.ts";
import { silentLogger } from "../telemetry/index.ts";
import { follow } from "./abort.ts";
import type { Executable, HostedService, ServiceContext } from "./hosted-service.ts";

/**
 * Extend it and write `execute`. When it throws, the restart policy decides; without one the host stops and `run()`
 * rejects with the error. When it returns, the service is completed and the host goes on.
 *
 * @example
 * ```ts
 * import { BackgroundService, ticker } from "nightshift";
 *
 * class Heartbeat extends BackgroundService {
 *   async execute(stopping: AbortSignal) {
 *     for await (const _ of ticker("10s", { signal: stopping })) console.log("alive");
 *   }
 * }
 * ```
 */
export abstract class BackgroundService implements HostedService, Executable, Disposable {
  #stopping: AbortController | undefined;
  #execution: Promise<void> | undefined;
  #unfollow: () => void = () => undefined;

  /**
   * The work. Runs after `start()` has resolved, in a later turn of the event loop.
   *
   * @param stopping aborted when the service must finish: pass it on to what you await, and return
   */
  abstract execute(stopping: AbortSignal, context: ServiceContext): Promise<void> | void;

  /** How `execute` ends; `undefined` before the first start. Rejects with what `execute` throws. */
  get execution(): Promise<void> | undefined {
    return this.#execution;
  }

  /** Begins `execute` and resolves without waiting for it. A start after a stop begins anew, with a new signal. */
  async start(signal: AbortSignal, context: ServiceContext = detachedContext(this.constructor.name)): Promise<void> {
    const stopping = new AbortController();
    setMaxListeners(0, stopping.signal);
    this.#stopping = stopping;
    this.#unfollow = follow(signal, stopping);
    const begun = !signal.aborted;
    this.#execution = (async () => {
      signal.throwIfAborted();
      // A later turn of the event loop: start() has settled by then, and a synchronous loop cannot block the start of others.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.execute(stopping.signal, context);
    })();
    // Whoever watches the execution gets its error; the service itself must not raise an unhandled rejection.
    this.#execution.then(this.#unfollow, this.#unfollow);
    if (!begun) throw signal.reason;
  }

  /** Aborts the stopping signal and waits until `execute` has ended, or `signal` is aborted. Never throws its error. */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.#stopping === undefined || this.#execution === undefined) return;
    this.#abort("The service is being stopped.");
    const ended = this.#execution.then(nothing, nothing);
    if (signal.aborted) return;
    const given = Promise.withResolvers<void>();
    const onAbort = () => given.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([ended, given.promise]);
    signal.removeEventListener("abort", onAbort);
  }

  /** Aborts the stopping signal without waiting. */
  [Symbol.dispose](): void {
    this.#abort("The service was disposed.");
  }

  #abort(why: string): void {
    this.#unfollow();
    this.#stopping?.abort(new NightshiftError("NS_ABORTED", why));
  }
}

/** Makes a service of an object that only has `execute`. */
export class ExecutableService extends BackgroundService {
  readonly #executable: Executable;

  constructor(executable: Executable) {
    super();
    this.#executable = executable;
  }

  execute(stopping: AbortSignal, context: ServiceContext): Promise<void> | void {
    return this.#executable.execute(stopping, context);
  }
}

/** The context of a service that is started by hand, without a host. */
function detachedContext(name: string): ServiceContext {
  return { name, logger: silentLogger, beat: nothing, fail: nothing, term: undefined };
}

function nothing(): void {
  // Nobody is told.
}
