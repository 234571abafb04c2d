/** Which shard a queue lives on: pure. Every process with the same list gives the same answer. */
import { stableHash } from "../../time/stable-hash.ts";

/** A list of shards, as far as routing goes. */
export interface RoutedShard {
  readonly name: string;
  /** Takes no queues but those it has jobs of already. */
  readonly draining: boolean;
}

/** Answers are remembered, for so many queues at most. */
const REMEMBERED = 10_000;

/**
 * Rendezvous hashing: each shard bids for each queue, the highest bid wins. A shard that is added takes its share from
 * all others and moves nothing between them; one that is taken out spreads its queues over the rest.
 */
export class Routing {
  readonly #candidates: readonly string[];
  readonly #pins: ReadonlyMap<string, string>;
  readonly #homes = new Map<string, string>();

  /** @param pins queues whose shard is said outright */
  constructor(shards: readonly RoutedShard[], pins: ReadonlyMap<string, string>) {
    this.#candidates = shards.filter(({ draining }) => !draining).map(({ name }) => name);
    this.#pins = pins;
  }

  /** The name of the shard that takes new jobs of this queue. */
  home(queue: string): string {
    const known = this.#pins.get(queue) ?? this.#homes.get(queue);
    if (known !== undefined) return known;
    if (this.#homes.size >= REMEMBERED) this.#homes.clear();
    const home = highestBidder(this.#candidates, queue);
    this.#homes.set(queue, home);
    return home;
  }
}

/** Bids that are equal go to the name that sorts first, so that the order of the list does not count. */
function highestBidder(names: readonly string[], queue: string): string {
  let best = "";
  let highest = -1;
  for (const name of names) {
    const bid = stableHash(`${name}\n${queue}`);
    if (bid > highest || (bid === highest && name < best)) [best, highest] = [name, bid];
  }
  return best;
}
