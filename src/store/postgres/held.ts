/**
 * What this process holds, as far as it knows: which leases a claim brought and how many of their jobs are not settled.
 * For wake-ups, which say where a handed-back job goes, and for the shorthand of a batch that is settled as it came; the
 * truth is in the database.
 */
import type { InstanceId, JobId, LeaseId } from "../contract.ts";

/** A lease as remembered. */
export interface HeldLease {
  readonly queue: string;
  jobs: readonly JobId[];
  /** Their numbers as an array's inside, in the order in which the database keeps them; null when `jobs` has another. */
  numbers: string | null;
  /** One lane for all, or each its own. */
  readonly lanes: readonly number[];
  /** How many are not settled yet. */
  open: number;
}

/** The leases of one store object. */
export class Held {
  readonly #instances = new Map<InstanceId, Map<LeaseId, HeldLease>>();

  add(instance: InstanceId, lease: LeaseId, held: HeldLease): void {
    let leases = this.#instances.get(instance);
    if (leases === undefined) this.#instances.set(instance, (leases = new Map()));
    leases.set(lease, held);
  }

  get(instance: InstanceId, lease: LeaseId): HeldLease | undefined {
    return this.#instances.get(instance)?.get(lease);
  }

  of(instance: InstanceId): readonly (readonly [LeaseId, HeldLease])[] {
    return [...(this.#instances.get(instance) ?? [])];
  }

  drop(instance: InstanceId, lease: LeaseId): void {
    const held = this.get(instance, lease);
    if (held === undefined) return;
    this.#instances.get(instance)?.delete(lease);
    // A Map that has one more and one less all the time makes its table anew all the time, and each old table leads to the
    // next: once one is among V8's old objects, whatever was in those after it lives until old objects are collected.
    held.jobs = [];
    held.numbers = null;
  }

  forget(instance: InstanceId): void {
    this.#instances.delete(instance);
  }

  keepOnly(instance: InstanceId, leases: readonly LeaseId[]): void {
    const held = this.#instances.get(instance);
    for (const lease of held?.keys() ?? []) if (!leases.includes(lease)) held?.delete(lease);
  }
}

/** The lane of a job that is held. */
export function laneOf({ lanes, jobs }: HeldLease, job: JobId): number | undefined {
  return lanes.length === 1 ? lanes[0] : lanes[jobs.indexOf(job)];
}
