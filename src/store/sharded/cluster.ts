/** The shards of one store while it is open: who is there, where queues live, and who is told. */
import { NightshiftError } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { rest } from "../../time/clock.ts";
import type { Clock } from "../../time/index.ts";
import type { Store, StoreContext, Wake } from "../contract.ts";
import type { Listeners } from "../shared/listeners.ts";
import { type Answer, ask, overdue } from "./asking.ts";
import type { Routing } from "./routing.ts";
import { isPassing, type Shard } from "./shard.ts";
import { Strays } from "./strays.ts";

/** How long one shard may keep the others' duties waiting, in milliseconds. */
const PATIENCE = 1_000;
/** And a person who asks for a page. */
const PATIENCE_OF_PEOPLE = 2_000;

export class Cluster {
  readonly shards: readonly Shard[];
  readonly routing: Routing;
  readonly strays: Strays;
  readonly listeners: Listeners;
  readonly #byName: ReadonlyMap<string, Shard>;
  readonly #context: StoreContext;

  constructor(shards: readonly Shard[], routing: Routing, listeners: Listeners, context: StoreContext) {
    this.shards = shards;
    this.routing = routing;
    this.listeners = listeners;
    this.strays = new Strays(routing);
    this.#byName = new Map(shards.map((shard) => [shard.name, shard]));
    this.#context = context;
  }

  get clock(): Clock {
    return this.#context.clock;
  }
  get logger(): LoggerLike {
    return this.#context.logger;
  }

  /** Whether any shard answers. */
  get anyThere(): boolean {
    return this.shards.some(({ isAway }) => !isAway);
  }

  byName(name: string): Shard | undefined {
    return this.#byName.get(name);
  }

  homeOf(queue: string): Shard {
    const name = this.routing.home(queue);
    const shard = this.#byName.get(name);
    if (shard === undefined)
      throw new NightshiftError("NS_STORE_SHARDS", `There is no shard ${name} for queue ${queue}.`);
    return shard;
  }

  /** For duties: one that is slow is left behind, and goes on by itself. */
  ask<T>(work: (store: Store, shard: Shard) => Promise<T>, late?: (shard: Shard, value: T) => void) {
    return ask(this.shards, work, { clock: this.clock, patience: PATIENCE, ...(late ? { late } : {}) });
  }

  /** For people: what a shard that does not answer would say is left out, and the log tells so. */
  async look<T>(what: string, work: (store: Store, shard: Shard) => Promise<T>): Promise<readonly Answer<T>[]> {
    const answers = await ask(this.shards, work, { clock: this.clock, patience: PATIENCE_OF_PEOPLE });
    const silent = answers.flatMap((answer) => (answer.ok ? [] : [answer.shard.name]));
    if (silent.length > 0) this.logger.debug({ shards: silent, what }, "answered without the shards that are away");
    return answers;
  }

  /** Of one shard alone, for people: what it says, or that it has not answered in time. */
  async lookAt<T>(shard: Shard, work: (store: Store) => Promise<T>): Promise<T> {
    const enough = new AbortController();
    try {
      return await Promise.race([shard.run(work), this.#silenceOf(shard, enough.signal)]);
    } finally {
      enough.abort();
    }
  }

  /** Rejects when the shard has had its time and another one answers: while none does, nobody is taken for silent. */
  async #silenceOf(shard: Shard, signal: AbortSignal): Promise<never> {
    await rest(this.clock, PATIENCE_OF_PEOPLE, signal);
    const others = signal.aborted ? [] : this.shards.filter((other) => other !== shard && !other.isAway);
    const isAlone = await Promise.any(others.map((other) => other.run((store) => store.now()))).then(
      () => false,
      () => true,
    );
    return isAlone ? new Promise(() => undefined) : Promise.reject(overdue(shard));
  }

  /** The time by this shard, or by another one when it is away or says nothing. */
  async now(first: Shard): Promise<number> {
    const there = [first, ...this.shards.filter((shard) => shard !== first)].filter(({ isAway }) => !isAway);
    const last = there.pop() ?? first;
    for (const shard of there) {
      const enough = new AbortController();
      try {
        const silence = rest(this.clock, PATIENCE, enough.signal);
        const answer = await Promise.race([shard.unlessAway(shard.run((store) => store.now())), silence]);
        if (typeof answer === "number") return answer;
      } catch (error) {
        if (!isPassing(error)) throw error;
      } finally {
        enough.abort();
      }
    }
    return last.run((store) => store.now());
  }

  tell(...wakes: readonly Wake[]): void {
    this.listeners.emit(wakes, this.logger);
  }
}
