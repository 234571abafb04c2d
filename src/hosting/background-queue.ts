/** A bounded queue in memory with workers: work that may be lost with the process. Durable work is a job. */
import { NightshiftError, type Problems, show } from "../errors/index.ts";
import { isCallable, oneOf } from "../errors/option-checks.ts";
import type { Dependency, Resolved, Resolver, Token } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { HostedService, ServiceContext } from "./hosted-service.ts";
import type { ServiceOptions } from "./options.ts";

/** What the work on one item is given. */
export interface Work {
  /** Aborted when the time for stopping is over. */
  readonly signal: AbortSignal;
  /** The item's own scope, disposed when its work is done. */
  readonly services: Resolver;
  readonly logger: LoggerLike;
}

/** An item that is itself the work. */
export type WorkItem = (work: Work) => Promise<unknown> | unknown;

/** The side of those who give work. */
export interface BackgroundQueue<T = WorkItem> {
  /**
   * Puts an item into the queue; resolves when it is in, not when it is done.
   *
   * @throws NS_QUEUE_FULL when it is full and does not wait, NS_QUEUE_CLOSED when the host is stopping, the signal's
   * reason when it is aborted while waiting for room
   */
  enqueue(item: T, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** How many items wait. */
  readonly size: number;
  /** How many are being worked on. */
  readonly running: number;
}

/** The options of a background queue, beside those of every service. */
export interface BackgroundQueueOptions<T = WorkItem, D extends readonly Dependency[] = readonly Dependency[]>
  extends ServiceOptions {
  /** How many items may wait. Default 100. */
  readonly capacity?: number;
  /** How many are worked on at once. Default 1: strictly one after the other. */
  readonly concurrency?: number;
  /** What a full queue does with a new item: let its giver wait, refuse it, or drop the oldest. Default `"wait"`. */
  readonly full?: "wait" | "reject" | "drop-oldest";
  /** What happens at the stop: all items are worked on, only the current ones, or the others are handed over. Default `"drain"`. */
  readonly onStop?: "drain" | "finish-current" | "hand-over";
  /** Takes the leftovers at the stop, when `onStop` is `"hand-over"`: into the durable job store, for example. */
  readonly handOver?: (items: readonly T[], work: Work) => Promise<void> | void;
  /** The work on one item. Default: the item is a function and is called. */
  readonly run?: (item: T, work: Work, ...dependencies: Resolved<D>) => Promise<unknown> | unknown;
  /** What the work needs, resolved in the item's own scope and given to `run`. */
  readonly inject?: D;
  /** A key to inject the queue by. */
  readonly key?: Token<BackgroundQueue<T>>;
}

/** The options that are a queue's own. */
export const QUEUE_OPTIONS = [
  "capacity",
  "concurrency",
  "full",
  "onStop",
  "handOver",
  "run",
  "inject",
  "key",
] as const satisfies readonly (keyof BackgroundQueueOptions)[];

/** Checks the options that are a queue's own. */
export function checkQueueOptions(given: BackgroundQueueOptions<never>, what: string, problems: Problems): void {
  oneOf(given.full ?? "wait", ["wait", "reject", "drop-oldest"], `${what}'s full`, problems);
  oneOf(given.onStop ?? "drain", ["drain", "finish-current", "hand-over"], `${what}'s onStop`, problems);
  for (const name of ["capacity", "concurrency"] as const) {
    const value = given[name] ?? 1;
    if (!Number.isInteger(value) || value < 1) {
      problems.add("NS_OPTION_INVALID", `${what}'s ${name} is ${show(value)}. Give a whole number from 1.`);
    }
  }
  if (given.run !== undefined) isCallable(given.run, `${what}'s run`, problems);
  if (given.handOver !== undefined && given.onStop !== "hand-over") {
    const message = `${what} has handOver, but its onStop is ${show(given.onStop ?? "drain")}. Say onStop: "hand-over".`;
    problems.add("NS_OPTION_INVALID", message);
  }
  if (given.onStop === "hand-over" && given.handOver === undefined) {
    problems.add("NS_OPTION_INVALID", `${what} hands its leftovers over at the stop, but to nobody. Give handOver.`);
  }
}

interface Waiting<T> {
  readonly item: T;
  readonly accepted: () => void;
  readonly refused: (error: unknown) => void;
}

/** The queue and the service that works on it. */
export class QueueService<T> implements HostedService, BackgroundQueue<T> {
  readonly #options: BackgroundQueueOptions<T>;
  readonly #needs: Token<readonly unknown[]>;
  readonly #items: T[] = [];
  /** Those who wait for room, first come first served. */
  readonly #waiting = new Set<Waiting<T>>();
  /** Aborted when the time for stopping is over. */
  #abandon = new AbortController();
  #services: Resolver | undefined;
  #context: ServiceContext | undefined;
  #running = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: BackgroundQueueOptions<T>, needs: Token<readonly unknown[]>) {
    this.#options = options;
    this.#needs = needs;
  }

  get size(): number {
    return this.#items.length;
  }

  get running(): number {
    return this.#running;
  }

  /** Tells where scopes come from; the host does it before the start. */
  connect(services: Resolver): this {
    this.#services = services;
    return this;
  }

  async enqueue(item: T, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closed();
    const capacity = this.#options.capacity ?? 100;
    if (this.#items.length >= capacity) {
      const full = this.#options.full ?? "wait";
      if (full === "wait") return this.#waitForRoom(item, signal);
      if (full === "reject") {
        const message = `The background queue holds ${capacity} items, which is its capacity. Try again later.`;
        throw new NightshiftError("NS_QUEUE_FULL", message, { details: { capacity } });
      }
      this.#items.shift();
      this.#context?.logger.warn({ capacity }, "full: the oldest item was dropped");
    }
    this.#items.push(item);
    this.#pump();
  }

  start(_signal: AbortSignal, context: ServiceContext): void {
    this.#context = context;
    // Again after a stop, when its group is restarted.
    this.#closed = false;
    this.#abandon = new AbortController();
    this.#pump();
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#waiting) waiting.refused(closed());
    this.#waiting.clear();
    const onStop = this.#options.onStop ?? "drain";
    const leftovers = onStop === "drain" ? [] : this.#items.splice(0);
    const onAbort = () => {
      // Time is over: what runs is told, what waits is not begun any more.
      leftovers.push(...this.#items.splice(0));
      this.#abandon.abort(signal.reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (this.#running > 0 || this.#items.length > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    await this.#handOver(leftovers, signal);
  }

  async #handOver(leftovers: T[], signal: AbortSignal): Promise<void> {
    if (leftovers.length === 0) return;
    const { handOver, onStop } = this.#options;
    if (onStop !== "hand-over" || handOver === undefined) {
      this.#context?.logger.warn(
        { items: leftovers.length },
        "stopped with items that nobody worked on: they are lost",
      );
      return;
    }
    await this.#inScope(signal, (work) => handOver(leftovers, work));
    this.#context?.logger.info({ items: leftovers.length }, "leftovers were handed over");
  }

  #waitForRoom(item: T, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(waiting);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiting: Waiting<T> = {
        item,
        accepted: () => {
          end();
          resolve();
        },
        refused: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = () => waiting.refused(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  #pump(): void {
    if (this.#context === undefined) return;
    const concurrency = this.#options.concurrency ?? 1;
    while (this.#running < concurrency) {
      const item = this.#items.shift();
      if (item === undefined) break;
      this.#running++;
      void this.#work(item);
      for (const waiting of this.#waiting) {
        this.#items.push(waiting.item);
        waiting.accepted();
        break;
      }
    }
    if (this.#running === 0 && this.#items.length === 0) this.#onIdle?.();
  }

  async #work(item: T): Promise<void> {
    const { run } = this.#options;
    try {
      await this.#inScope(this.#abandon.signal, async (work, services) => {
        if (run === undefined) await (item as WorkItem)(work);
        else await run(item, work, ...(services.get(this.#needs) as Resolved<readonly Dependency[]>));
      });
    } catch (error) {
      this.#context?.logger.error({ err: error }, "the work on an item failed");
    }
    this.#running--;
    this.#context?.beat();
    this.#pump();
  }

  async #inScope(signal: AbortSignal, step: (work: Work, services: Resolver) => unknown): Promise<void> {
    const { logger } = this.#context ?? {};
    if (this.#services === undefined || logger === undefined) throw closed();
    await using scope = this.#services.createScope();
    await step({ signal, services: scope, logger }, scope);
  }
}

function closed(): NightshiftError {
  const message = "The background queue takes no more items: it is being stopped, or has stopped.";
  return new NightshiftError("NS_QUEUE_CLOSED", message);
}
