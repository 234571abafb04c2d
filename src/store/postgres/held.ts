/**
 * What this process holds, as far as it knows: which leases a claim brought and which of their jobs are not settled.
 * Only for wake-ups, which say where a handed-back job goes; the truth is in the database.
 */
import type { InstanceId, JobId, LeaseId } from "../contract.ts";

/** A lease as remembered. */
export interface HeldLease {
  readonly queue: string;
  /** The jobs not settled yet, and their lanes. */
  readonly jobs: Map<JobId, number>;
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

  drop(instance: InstanceId, lease: LeaseId): void {
    this.#instances.get(instance)?.delete(lease);
  }

  forget(instance: InstanceId): void {
    this.#instances.delete(instance);
  }

  keepOnly(instance: InstanceId, leases: readonly LeaseId[]): void {
    const held = this.#instances.get(instance);
    for (const lease of held?.keys() ?? []) if (!leases.includes(lease)) held?.delete(lease);
  }
}
