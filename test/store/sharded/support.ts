/** Shards that tests can take away and bring back, and stores made of them. */
import { NightshiftError } from "../../../src/errors/index.ts";
import type { NewInstance, NewJob, NewSchedule, Store } from "../../../src/store/contract.ts";
import { memory } from "../../../src/store/memory/index.ts";
import { ShardedStore } from "../../../src/store/sharded/index.ts";
import { type CapturingLogger, capturingLogger } from "../../../src/telemetry/index.ts";
import { VirtualClock } from "../../../src/time/index.ts";

/** A database that can be taken away: whatever is asked of it fails then, or gets no answer. */
export class Place {
  readonly data: Store = memory();
  readonly store: Store;
  /** Calls since the beginning, by method. */
  readonly calls = new Map<string, number>();
  #state: "there" | "gone" | "silent" = "there";
  #waiting: (() => void)[] = [];

  constructor() {
    this.store = new Proxy(this.data, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function" || typeof key !== "string") return value;
        if (key === "subscribe" || key === "info" || key === "close") return value.bind(target);
        return (...args: unknown[]) => this.#call(key, () => value.apply(target, args) as Promise<unknown>);
      },
    });
  }

  /** Every call fails at once. */
  cut(): void {
    this.#state = "gone";
  }
  /** No call gets an answer. */
  silence(): void {
    this.#state = "silent";
  }
  /** Back; calls that wait are done now. */
  heal(): void {
    this.#state = "there";
    for (const go of this.#waiting.splice(0)) go();
  }

  async #call(method: string, real: () => Promise<unknown>): Promise<unknown> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    if (this.#state === "gone") throw new NightshiftError("NS_STORE_UNAVAILABLE", "The server was taken away.");
    if (this.#state === "silent") await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return real();
  }
}

export interface Sharded {
  readonly store: ShardedStore;
  readonly places: Readonly<Record<string, Place>>;
  readonly clock: VirtualClock;
  readonly logger: CapturingLogger;
}

export interface Listed {
  readonly names: readonly string[];
  readonly draining?: readonly string[];
  readonly queues?: Readonly<Record<string, string>>;
  readonly leader?: string;
}

/** A store over places, not open yet. Places that are given keep their data. */
export function makeSharded(list: Listed, from?: Pick<Sharded, "places" | "clock">): Sharded {
  const clock = from?.clock ?? new VirtualClock();
  const places = Object.fromEntries(list.names.map((name) => [name, from?.places[name] ?? new Place()]));
  const shards = list.names.map((name) => ({
    name,
    store: (places[name] as Place).store,
    draining: list.draining?.includes(name) ?? false,
  }));
  const queues = new Map(Object.entries(list.queues ?? {}));
  const store = new ShardedStore({ shards, queues, leader: list.leader ?? null });
  return { store, places: { ...from?.places, ...places }, clock, logger: capturingLogger() };
}

/** The same, open; an address for each queue: `at-a` lives on shard `a`. */
export async function openSharded(list: Listed, from?: Pick<Sharded, "places" | "clock">): Promise<Sharded> {
  const pins = Object.fromEntries(
    list.names.filter((name) => !list.draining?.includes(name)).map((name) => [`at-${name}`, name]),
  );
  const sharded = makeSharded({ ...list, queues: { ...pins, ...list.queues } }, from);
  await sharded.store.open({ clock: sharded.clock, logger: sharded.logger });
  return sharded;
}

export const newJob = (over: Partial<NewJob> = {}): NewJob => ({
  ...{ name: "a", queue: "at-a", priority: 0, input: "{}", maxAttempts: 5, maxCrashes: 5 },
  ...over,
});
export const process1: NewInstance = {
  ...{ name: "one", host: "h", pid: 1, version: "1.0.0", queues: ["at-a", "at-b"], names: ["a"], concurrency: 5 },
};
export const newSchedule = (over: Partial<NewSchedule> = {}): NewSchedule => ({
  ...{ id: "s", group: "", source: "code", job: "a", definition: "{}", nextAt: null, paused: false },
  ...over,
});
export const wants = (...queues: string[]) => ({
  wants: queues.map((queue) => ({ queue, limit: 10 })),
  names: new Set(["a"]),
});
export const TTL = 30_000;
