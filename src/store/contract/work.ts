/** The contract, part 2: the worker's side. Claim under a lease, keep it alive, settle. */
import type { JobId, NewJob } from "./jobs.ts";

/** One process registered in the store. */
export type InstanceId = string;

/** A lease: time-limited ownership of a batch of claimed jobs. Its id is the fencing token and is never re-used. */
export type LeaseId = string;

/** What an instance says about itself when it registers. */
export interface NewInstance {
  /** For people: `shop@web-1`, say. Not unique. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** The library's version. */
  readonly version: string;
  /** The queues it claims from; empty for a process that claims none. */
  readonly queues: readonly string[];
  /** The job names it can run. */
  readonly names: readonly string[];
  /** How many jobs it runs at once. */
  readonly concurrency: number;
}

/** The answer to a heartbeat. */
export type Heartbeat =
  /** Still registered; these of its running jobs somebody wants cancelled. */
  | {
      readonly alive: true;
      readonly cancelled: readonly CancelRequest[];
      /**
       * Leases that are void while the others hold: one database of several has given this process up, or a database has
       * forgotten their claims in a crash or a failover. Their handlers must be aborted.
       */
      readonly lost?: readonly LeaseId[];
    }
  /** It expired: its leases are void and its jobs are run elsewhere. It must abort its handlers and register anew. */
  | { readonly alive: false };

/** Somebody's wish that a running job stops. */
export interface CancelRequest {
  readonly job: JobId;
  readonly reason: string;
}

/** A wish for work: up to `limit` jobs of one queue. Several wishes of one queue add up. */
export interface Want {
  readonly queue: string;
  readonly limit: number;
}

/** What to claim. */
export interface ClaimRequest {
  readonly wants: readonly Want[];
  /**
   * The names that this process can run. A job of another name that stands at the head of the queue is set aside
   * ("parked": still `ready`, but out of the way) until {@link Upkeep.promote} is called by a process that knows it.
   * It is never failed and costs no attempt.
   */
  readonly names: ReadonlySet<string>;
}

/** A batch of claimed jobs of one queue. */
export interface Lease {
  readonly id: LeaseId;
  readonly queue: string;
  /** By the store's clock. */
  readonly claimedAt: number;
  /** Never empty; higher priority first, then in the order of enqueueing. */
  readonly jobs: readonly ClaimedJob[];
}

/** A job in the hands of a worker. */
export interface ClaimedJob {
  readonly id: JobId;
  readonly name: string;
  readonly priority: number;
  readonly input: string;
  readonly meta?: string;
  /** Which attempt this claim is, from 1: attempts are counted when claimed, so a crash counts. */
  readonly attempt: number;
  /** How many there may be, this one included: never less than `attempt`, also after a person's retry. */
  readonly maxAttempts: number;
  readonly createdAt: number;
}

/** How one claimed job ended. `error` and `result` are JSON text; `ms` is how long the handler ran. */
export type Outcome =
  | { readonly job: JobId; readonly type: "succeeded"; readonly ms: number; readonly result?: string }
  /** Failed, to be tried again after a wait. */
  | { readonly job: JobId; readonly type: "retry"; readonly ms: number; readonly in: number; readonly error: string }
  | { readonly job: JobId; readonly type: "dead"; readonly ms: number; readonly error: string }
  | { readonly job: JobId; readonly type: "cancelled"; readonly ms: number; readonly reason: string }
  /** Asked for more time: due again after a wait; this attempt does not count. */
  | { readonly job: JobId; readonly type: "snoozed"; readonly ms: number; readonly in: number }
  /** Handed back unfinished: ready again at its old place; this attempt does not count. Nothing is written to its history. */
  | { readonly job: JobId; readonly type: "released" };

/** Outcomes under one lease. The lease ends with the last of its jobs; until then it may be settled in parts. */
export interface Settlement {
  readonly lease: LeaseId;
  readonly outcomes: readonly Outcome[];
}

/**
 * What became of settlements. Those whose lease is no longer held are refused whole: nothing of them is written.
 *
 * A lease is held by its instance until its last job is settled or a rescue takes it; that its instance's time ran out
 * does not end it by itself. Outcomes of jobs that a held lease no longer has were settled before and are passed over;
 * a lease that is gone is not refused when all of its outcomes are found in the history under that very lease.
 */
export interface Settled {
  readonly refused: readonly LeaseId[];
  /** Leases whose outcomes are not recorded, as their database is away while others are not. Settle them again later. */
  readonly unsettled?: readonly LeaseId[];
}

/** The answer to {@link Working.enqueueAndClaim}: ids in the order of the jobs, leases as a claim gives them. */
export interface EnqueuedAndClaimed {
  readonly ids: readonly JobId[];
  readonly leases: readonly Lease[];
}

/** The worker's side of a store. */
export interface Working {
  /** Registers this process; it is alive for `ttl` milliseconds from now. */
  register(instance: NewInstance, ttl: number): Promise<InstanceId>;

  /** Stays alive for another `ttl` milliseconds. Call it at a third of that. The answer comes from the store's clock alone. */
  heartbeat(instance: InstanceId, ttl: number): Promise<Heartbeat>;

  /** Leaves: what it still holds is ready again at once, without counting the attempt. Harmless when already gone. */
  deregister(instance: InstanceId): Promise<void>;

  /** Claims up to each want's limit, one lease a queue, in one commit. A paused queue gives nothing; nor does an expired instance get anything. */
  claim(instance: InstanceId, request: ClaimRequest): Promise<readonly Lease[]>;

  /**
   * Stores jobs, all or none, and claims what {@link claim} would give right after, in one commit: a process that has a
   * slot free for what it enqueues needs one commit until the handler begins, and not two. The leases are those of the
   * queues' heads, so the jobs may wait behind older ones all the same. Who gets nothing here (an expired instance, a
   * paused queue) has still stored its jobs.
   *
   * @throws as {@link Enqueueing.enqueue}; after an unknown commit there may be leases that the caller does not know
   */
  enqueueAndClaim(jobs: readonly NewJob[], instance: InstanceId, request: ClaimRequest): Promise<EnqueuedAndClaimed>;

  /**
   * Hands back what the instance holds under other leases than these; those attempts do not count. A claim whose answer
   * was lost after its commit leaves such a lease, and nobody would rescue it while the instance lives. The worker
   * calls this after a failed claim, while no other claim of its own is under way.
   */
  reconcile(instance: InstanceId, held: readonly LeaseId[]): Promise<void>;

  /**
   * Records outcomes, in one commit. A job whose cancellation was asked for becomes `cancelled` in place of going back
   * to `ready` or `scheduled`. Settling the same outcome again after an unknown commit is harmless.
   */
  settle(instance: InstanceId, settlements: readonly Settlement[]): Promise<Settled>;

  /** Both in one round trip and one commit: the heart of throughput. */
  settleAndClaim(
    instance: InstanceId,
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<Settled & { readonly leases: readonly Lease[] }>;
}
