/** The running application, as it is seen: started and stopped once, and asked how it is. */
import { NightshiftError } from "../errors/index.ts";
import { type Resolver, throwCollected } from "../services/index.ts";
import { follow } from "./abort.ts";
import { HostCourse } from "./course.ts";
import type { Events } from "./emitter.ts";
import type { Health } from "./health.ts";
import type { HostCall, HostParts } from "./host-parts.ts";
import type { HostLifetime } from "./lifetime.ts";
import type { HostEvents, HostSnapshot } from "./snapshot.ts";

/**
 * An application. It is used once: built, started, stopped, disposed.
 *
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 *
 * await using host = createHost({ name: "shop", signals: false }).build();
 * await host.start();
 * console.log(host.snapshot().state); // "running"
 * await host.stop();
 * ```
 */
export class Host implements AsyncDisposable {
  readonly #parts: HostParts;
  readonly #course: HostCourse;
  #stop: { readonly done: Promise<void>; readonly controller: AbortController } | undefined;
  #disposal: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  /** Somebody waits for the end, and will stop it then. */
  #isAwaited = false;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#course = new HostCourse(parts, () => this.#stopUnlessAwaited());
    parts.attach(this, this.#course.lifetime, this.#course.health);
  }

  /** The root resolver. */
  get services(): Resolver {
    return this.#parts.container;
  }

  /** The moments of the application's life, and the way to end it. */
  get lifetime(): HostLifetime {
    return this.#course.lifetime;
  }

  /** Tells of changes: `host.events.on("service", …)`, `host.events.on("host", …)`. */
  get events(): Events<HostEvents> {
    return this.#course.events;
  }

  /** Whether it has started, is ready and alive; with a fetch handler for `/livez`, `/readyz` and `/startupz`. */
  get health(): Health {
    return this.#course.health;
  }

  /** The word for where it runs: `"Production"` unless it is set. */
  get environment(): string {
    return this.#parts.options.environment;
  }

  /** Whether it runs in an environment, compared without regard to case. */
  isEnvironment(name: string): boolean {
    return this.environment.toLowerCase() === name.toLowerCase();
  }

  /** How the host and each of its services are, now. */
  snapshot(): HostSnapshot {
    return this.#course.snapshot();
  }

  /**
   * Starts every service, in order; resolves when all have started. From then on a signal of the system, or an error
   * that nobody catches, stops it.
   *
   * @throws what a service threw in its start, after those that had started were stopped again
   * @throws the signal's reason when it is aborted, NS_TIMEOUT after `startupTimeout`, NS_ABORTED when the application
   * is asked to stop meanwhile or was stopped before, NS_HOST_STATE when it was started before
   */
  start(call: HostCall = {}): Promise<void> {
    const { state } = this.#course;
    const what = `The host "${this.#parts.options.name}"`;
    if (state === "starting" || state === "running") {
      const message = `${what} was started before. A host runs once: build another.`;
      return Promise.reject(new NightshiftError("NS_HOST_STATE", message));
    }
    if (state !== "built") {
      const message = `${what} has stopped and cannot start again. A host runs once: build another.`;
      return Promise.reject(new NightshiftError("NS_ABORTED", message));
    }
    this.#started = this.#course.start(call.signal);
    return this.#started;
  }

  /**
   * Stops every started service, in reverse order. All are stopped even if some fail; a service that does not leave in
   * time is abandoned and named. Calling again gives the same promise; a later signal can only shorten the time.
   *
   * @throws the single failure, or an AggregateError: failures of services while they ran, then those of the stop
   */
  stop(call: HostCall = {}): Promise<void> {
    if (this.#stop === undefined) {
      const controller = new AbortController();
      follow(call.signal, controller);
      this.#stop = { done: this.#course.stop(controller), controller };
    } else follow(call.signal, this.#stop.controller);
    return this.#stop.done;
  }

  /** Waits until the application is asked to stop, then stops it. Throws what {@link stop} throws. */
  async waitForShutdown(call: HostCall = {}): Promise<void> {
    this.#isAwaited = true;
    const asked = Promise.withResolvers<void>();
    const onAbort = () => asked.resolve();
    const unfollow = this.#course.stopWhenAborted(call.signal);
    if (this.lifetime.stopping.aborted) asked.resolve();
    else this.lifetime.stopping.addEventListener("abort", onAbort, { once: true });
    await asked.promise;
    unfollow();
    await this.stop();
  }

  /**
   * Starts, waits until the application is asked to stop (by a signal of the system, `call.signal`,
   * `lifetime.stopApplication()` or a failed service), stops, and disposes everything.
   *
   * @throws what failed: the process then ends with code 1 unless you catch it
   */
  async run(call: HostCall = {}): Promise<void> {
    this.#isAwaited = true;
    const errors: unknown[] = [];
    const unfollow = this.#course.stopWhenAborted(call.signal);
    try {
      await this.start();
      await this.waitForShutdown();
    } catch (error) {
      // A stop that was asked for while services were still starting, and rolled back cleanly, is a clean end.
      const askedToStop = this.lifetime.stopping.aborted && error === this.lifetime.stopping.reason;
      if (!askedToStop) errors.push(error);
      if (this.#course.state === "failed") await this.stop().catch((thrown: unknown) => errors.push(thrown));
    }
    unfollow();
    try {
      await this[Symbol.asyncDispose]();
    } catch (error) {
      errors.push(error);
    }
    throwCollected(errors, "The application failed, and so did its disposal.");
  }

  /** A start that is given up is rolled back and rejects: there is nothing to stop. */
  async #stopUnlessAwaited(): Promise<void> {
    const started = await this.#started?.then(
      () => true,
      () => false,
    );
    if (started === true && !this.#isAwaited) await this.stop();
  }

  /** Disposes the services that the container made. It does not stop them: call {@link stop} before, or use {@link run}. */
  async [Symbol.asyncDispose](): Promise<void> {
    // What failed is thrown to the first caller.
    if (this.#disposal !== undefined) return this.#disposal.catch(() => undefined);
    this.#disposal = this.#course.dispose();
    await this.#disposal;
  }
}
