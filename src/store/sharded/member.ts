/** What this process is on each shard: its registration there, and the leases that it holds there. */
import type { Timer } from "../../time/index.ts";
import type { InstanceId, Lease, LeaseId, NewInstance } from "../contract.ts";
import { splitInstance } from "./ids.ts";

/** The part of an instance that lives on one shard. Ids are the shard's own. */
export class Part {
  /** Null while it is not registered there. */
  instance: InstanceId | null;
  /** A registration that may live on there, with leases that nobody here honours any more. */
  doubtful: InstanceId | null = null;
  /** When the shard last heard of it, on the monotonic clock, from before the call. */
  beatAt: number;
  /** How many jobs are open under each lease. */
  readonly held = new Map<LeaseId, number>();
  /** A claim failed without an answer: the shard may hold leases for us that we do not know. */
  unsure = false;
  /** Claims under way: what they bring is not known yet, and must not be taken for what is lost. */
  claims = 0;
  /** Those of them that nobody waits for any more; no other is begun meanwhile. */
  behind = 0;
  /** What such a claim brought, to be handed out with the next one. */
  late: Lease[] = [];
  /** Rings when the time on a silent shard runs out. */
  expiry: Timer | undefined;

  constructor(instance: InstanceId | null, beatAt: number) {
    this.instance = instance;
    this.beatAt = beatAt;
  }

  /** Its leases are void; gives them. */
  lose(): readonly LeaseId[] {
    const lost = [...this.held.keys()];
    this.held.clear();
    this.late = [];
    this.instance = null;
    this.expiry?.cancel();
    this.expiry = undefined;
    return lost;
  }
}

/** An instance. */
export interface Member {
  readonly id: InstanceId;
  /** What it said when it registered; null for one that another process registered. */
  readonly body: NewInstance | null;
  readonly parts: ReadonlyMap<string, Part>;
}

/** An instance that was not registered through this store: what its id says is all that is known. */
export function stranger(id: InstanceId): Member {
  const parts = Array.from(splitInstance(id), ([shard, instance]) => [shard, new Part(instance, 0)] as const);
  return { id, body: null, parts: new Map(parts) };
}
