/** One of the databases: its store, and whether it answers. */
import { messageOf, NightshiftError } from "../../errors/index.ts";
import type { ShardInfo, Store, StoreContext } from "../contract.ts";

/** A database to be one of several. */
export interface ShardSpec {
  readonly name: string;
  readonly store: Store;
  readonly draining?: boolean;
  /** Whether a caller's transaction is on this database. Left out by stores that find out by themselves. */
  owns?(tx: unknown): Promise<boolean>;
}

/** Who must know of a shard that goes away or comes back. */
export interface ShardWatcher {
  /** Judges a database that could not be reached before: it stays away when this rejects. */
  admit(shard: Shard): Promise<void>;
  away(shard: Shard, error: unknown): void;
  back(shard: Shard, awayFor: number): void;
}

/** What says that the database, and not what it was given, is the matter. Others are not kept from their work by it. */
const PASSING: readonly string[] = ["NS_STORE_UNAVAILABLE", "NS_STORE_BUSY", "NS_STORE_FULL"];

export function isPassing(error: unknown): boolean {
  return error instanceof NightshiftError && PASSING.includes(error.code);
}

export class Shard {
  readonly name: string;
  readonly store: Store;
  readonly draining: boolean;
  readonly owns: ShardSpec["owns"];
  #context: StoreContext | null = null;
  #watcher: ShardWatcher | null = null;
  #open = false;
  #away: { readonly since: number; readonly at: number; readonly error: unknown } | null = null;
  readonly #leaving = new Set<() => void>();

  constructor({ name, store, draining = false, owns }: ShardSpec) {
    this.name = name;
    this.store = store;
    this.draining = draining;
    this.owns = owns;
  }

  get isAway(): boolean {
    return this.#away !== null;
  }

  /**
   * What is answered, or undefined once the shard is away: nobody waits any longer then for what others do not need.
   * A promise of the going away, raced with every call, would keep all of them for as long as the shard stays.
   */
  unlessAway<T>(answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => resolve(undefined);
      const settled = () => this.#leaving.delete(leave);
      this.#leaving.add(leave);
      void answer.then(resolve, reject).then(settled);
      if (this.#away !== null) leave();
    });
  }

  info(): ShardInfo {
    const { location, engine } = this.store.info();
    const away = this.#away && { since: this.#away.since, error: messageOf(this.#away.error) };
    return { name: this.name, location, engine, draining: this.draining, away };
  }

  /** Opens its store; one that cannot be reached is away, and is opened later by {@link probe}. */
  async open(context: StoreContext, watcher: ShardWatcher): Promise<void> {
    // Whoever waits for the store's opening does not wait for a shard that comes back later.
    const { signal: _, ...later } = context;
    this.#context = later;
    this.#watcher = watcher;
    try {
      await this.store.open(context);
      this.#open = true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#goAway(error);
    }
  }

  async close(): Promise<void> {
    this.#context = null;
    this.#watcher = null;
    this.#away = null;
    if (!this.#open) return;
    this.#open = false;
    await this.store.close();
  }

  /** Asks whether it answers again. */
  async probe(): Promise<void> {
    const context = this.#context;
    if (context === null || this.#away === null) return;
    try {
      if (this.#open) await this.store.now();
      else {
        await this.store.open(context);
        if (this.#context === null) return this.store.close();
        await this.#watcher?.admit(this).catch(async (error: unknown) => {
          await this.store.close();
          throw error;
        });
        this.#open = true;
      }
      this.#comeBack();
    } catch (error) {
      if (isPassing(error)) return;
      this.#away = { ...this.#away, error };
      context.logger.error({ err: error, shard: this.name }, `Shard ${this.name} stays away: ${messageOf(error)}`);
    }
  }

  /** Does something on the shard, and learns from it whether the shard is there. */
  async run<T>(work: (store: Store) => Promise<T>): Promise<T> {
    if (!this.#open) throw this.awayError();
    try {
      const result = await work(this.store);
      if (this.#away !== null) this.#comeBack();
      return result;
    } catch (error) {
      if (error instanceof NightshiftError && error.code === "NS_STORE_UNAVAILABLE") this.#goAway(error);
      throw error;
    }
  }

  awayError(): NightshiftError {
    if (this.#context === null)
      return new NightshiftError("NS_STORE_CLOSED", "The store is not open. Call open() first.");
    const said = this.#away === null ? "it does not answer" : messageOf(this.#away.error);
    const { location } = this.store.info();
    return new NightshiftError("NS_STORE_UNAVAILABLE", `Shard ${this.name} (${location}) is away: ${said}`, {
      cause: this.#away?.error,
    });
  }

  #goAway(error: unknown): void {
    const context = this.#context;
    if (context === null) return;
    const first = this.#away === null;
    const { clock } = context;
    this.#away = { since: this.#away?.since ?? clock.now(), at: this.#away?.at ?? clock.monotonic(), error };
    if (!first) return;
    for (const leave of this.#leaving) leave();
    this.#watcher?.away(this, error);
  }

  #comeBack(): void {
    const away = this.#away;
    const context = this.#context;
    if (away === null || context === null) return;
    this.#away = null;
    this.#watcher?.back(this, context.clock.monotonic() - away.at);
  }
}
