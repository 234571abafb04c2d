/**
 * Jobs that are not at their queue's home: those from before the list of shards changed, those that a process with an
 * older list enqueues, and those of schedules that live elsewhere. Workers must ask there as well, until nothing is left.
 */
import type { Counts } from "../contract.ts";
import type { Routing } from "./routing.ts";

export class Strays {
  readonly #routing: Routing;
  readonly #places = new Map<string, Set<string>>();

  constructor(routing: Routing) {
    this.#routing = routing;
  }

  /** The shards beside its home that may have jobs of the queue. */
  of(queue: string): readonly string[] {
    const places = this.#places.get(queue);
    return places === undefined ? [] : [...places];
  }

  /** A shard has jobs of these queues; true when any of them is a stray's that was not known. */
  found(shard: string, queues: readonly string[]): boolean {
    let any = false;
    for (const queue of queues) {
      if (this.#routing.home(queue) === shard) continue;
      let places = this.#places.get(queue);
      if (places === undefined) this.#places.set(queue, (places = new Set()));
      any ||= !places.has(shard);
      places.add(shard);
    }
    return any;
  }

  /** Nothing can be claimed there now. */
  dry(shard: string, queue: string): void {
    const places = this.#places.get(queue);
    if (places?.delete(shard) && places.size === 0) this.#places.delete(queue);
  }
}

/** The queues of which a shard has jobs to claim. */
export function claimable({ queues }: Counts): readonly string[] {
  return queues.filter(({ ready, parked }) => ready > parked).map(({ queue }) => queue);
}

/** Whether a shard has nothing left to do. */
export function isEmpty({ queues }: Counts): boolean {
  return queues.every(({ ready, scheduled, running }) => ready + scheduled + running === 0);
}
