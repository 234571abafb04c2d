/**
 * What a store must do. `jobs` and `scheduling` know this and nothing else of a store; every store proves it with the
 * same conformance suite (`nightshift/testing/store-conformance`).
 *
 * Rules that hold for all of it: the store's clock is the authority; every write is one commit, all or nothing; every
 * method may be called concurrently; a promise that resolved means the commit is durable to the store's level.
 *
 * A store may be made of several databases, each of which has some of the queues. It is one store in all of this, save
 * where one commit would have to span two of them; those places are named.
 */
import type { LoggerLike } from "../telemetry/logger.ts";
import type { Clock } from "../time/index.ts";
import type { Condition } from "./contract/condition.ts";
import type { Inspection, ShardInfo } from "./contract/inspection.ts";
import type { Enqueueing } from "./contract/jobs.ts";
import type { Leadership } from "./contract/leadership.ts";
import type { Scheduling } from "./contract/schedules.ts";
import type { Transferring } from "./contract/transfer.ts";
import type { Upkeep } from "./contract/upkeep.ts";
import type { Waking } from "./contract/wake.ts";
import type { Working } from "./contract/work.ts";

export * from "./contract/condition.ts";
export * from "./contract/inspection.ts";
export * from "./contract/jobs.ts";
export * from "./contract/leadership.ts";
export * from "./contract/schedules.ts";
export * from "./contract/transfer.ts";
export * from "./contract/upkeep.ts";
export * from "./contract/wake.ts";
export * from "./contract/work.ts";

/** What a store is given when it is opened. */
export interface StoreContext {
  /** The clock of stores that have none of their own (memory, SQLite); others use it for waiting only. */
  readonly clock: Clock;
  readonly logger: LoggerLike;
  /**
   * Aborted when nobody waits for the opening any more: a store that is still trying then may give up. Of no meaning once
   * it is open.
   */
  readonly signal?: AbortSignal;
}

/** What a store says of itself, for logs and dashboards. */
export interface StoreInfo {
  /** `memory`, `sqlite`, `postgres`, or a third party's word. */
  readonly kind: string;
  /** Where it is, without secrets: a path, `host:port/database`. */
  readonly location: string;
  /** The engine's version, once open. */
  readonly engine: string;
  /** What a resolved enqueue survives: nothing, the process's death, or the machine's as well. */
  readonly durability: "none" | "process" | "power-loss";
  /** It works in this very thread, so that nothing else happens meanwhile: two calls at once bring no speed. Default: false. */
  readonly synchronous?: boolean;
  /** Of a store made of several databases: each of them, with what is wrong with one that is away. */
  readonly shards?: readonly ShardInfo[];
}

/** A backend. */
export interface Store
  extends Enqueueing,
    Working,
    Upkeep,
    Scheduling,
    Leadership,
    Inspection,
    Transferring,
    Condition,
    Waking {
  /**
   * Connects, creates or migrates what it needs. Calls are counted: the second one shares the first one's work, and
   * the store closes with as many {@link close} calls.
   *
   * @throws NS_STORE_FOREIGN, NS_STORE_VERSION, NS_STORE_CORRUPT, NS_STORE_UNAVAILABLE, NS_STORE_UNSUPPORTED
   */
  open(context: StoreContext): Promise<void>;
  /** Finishes what was begun and lets go of everything. Calls after that reject with NS_STORE_CLOSED. */
  close(): Promise<void>;
  info(): StoreInfo;
  /** The store's clock, in milliseconds since 1970 UTC. */
  now(): Promise<number>;
}
