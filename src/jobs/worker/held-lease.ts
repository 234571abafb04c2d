/** A lease in this process's hands, and the outcomes that wait to be settled under it. */
import type { LeaseId, Outcome, Settlement } from "../../store/contract.ts";

export interface HeldLease {
  readonly id: LeaseId;
  readonly queue: string;
  /** Jobs whose outcome is not settled yet. */
  open: number;
  /** Outcomes not settled yet. */
  pending: Outcome[];
  /** No longer ours: outcomes are refused. */
  lost: boolean;
}

/** The leases that are held, and which of them have something to settle. */
export class Outbox {
  readonly #held = new Set<HeldLease>();
  readonly #dirty = new Set<HeldLease>();
  /** What could not be settled while other outcomes were; to be tried again. */
  readonly #aside: Batch[] = [];
  #pending = 0;

  /** How many outcomes wait. */
  get pending(): number {
    return this.#pending;
  }

  /** The ids of all leases held. */
  get heldIds(): readonly LeaseId[] {
    return Array.from(this.#held, (lease) => lease.id);
  }

  hold(id: LeaseId, queue: string, jobs: number): HeldLease {
    const lease: HeldLease = { id, queue, open: jobs, pending: [], lost: false };
    this.#held.add(lease);
    return lease;
  }

  add(lease: HeldLease, outcome: Outcome): void {
    lease.pending.push(outcome);
    if (lease.pending.length === 1) this.#dirty.add(lease);
    this.#pending++;
  }

  /** How many outcomes wait for a database that is away. */
  get aside(): number {
    return this.#aside.reduce((sum, { settlements }) => sum + count(settlements), 0);
  }

  /**
   * Everything that waits; give it back to {@link settled} or {@link putBack}.
   *
   * Nothing here is made by an array literal. When nearly all arrays of one literal outlive a collection of garbage, V8 makes
   * its further ones among the old objects, where each of them, long done with, keeps its outcomes until old objects are collected.
   */
  take(): Batch {
    const leases = Array.from(this.#dirty);
    const settlements = leases.map((lease) => ({ lease: lease.id, outcomes: lease.pending.splice(0) }));
    this.#dirty.clear();
    this.#pending = 0;
    return { leases, settlements };
  }

  /** The store has answered; gives the leases that it refused. */
  settled({ leases, settlements }: Batch, refused: readonly LeaseId[]): readonly HeldLease[] {
    const lost: HeldLease[] = [];
    for (const [index, lease] of leases.entries()) {
      lease.open -= settlements[index]?.outcomes.length ?? 0;
      if (refused.length > 0 && refused.includes(lease.id)) lost.push(this.#lose(lease));
      else if (lease.open <= 0) this.#held.delete(lease);
    }
    return lost;
  }

  /** Parts what the store could not record, as one of its databases is away, from the rest. */
  setAside({ leases, settlements }: Batch, unsettled: readonly LeaseId[]): Batch {
    const pick = (wanted: boolean): Batch => ({
      leases: leases.filter(({ id }) => unsettled.includes(id) === wanted),
      settlements: settlements.filter(({ lease }) => unsettled.includes(lease) === wanted),
    });
    this.#aside.push(pick(true));
    return pick(false);
  }

  /** What was set aside waits with the others again. */
  bringBack(): void {
    for (const batch of this.#aside.splice(0)) this.putBack(batch);
  }

  /** The lease of that id is void; gives it, if it was held. */
  lose(id: LeaseId): HeldLease | undefined {
    for (const lease of this.#held) if (lease.id === id) return this.#lose(lease);
    return undefined;
  }

  /** The store did not answer: the outcomes wait again, before those that came since. */
  putBack({ leases, settlements }: Batch): void {
    for (const [index, lease] of leases.entries()) {
      if (lease.lost) continue;
      const outcomes = settlements[index]?.outcomes ?? [];
      lease.pending = [...outcomes, ...lease.pending];
      this.#pending += outcomes.length;
      this.#dirty.add(lease);
    }
  }

  /** All leases are void; gives how many outcomes can never be settled. */
  loseAll(): number {
    const refused = this.#pending;
    for (const lease of this.#held) this.#lose(lease);
    return refused;
  }

  #lose(lease: HeldLease): HeldLease {
    lease.lost = true;
    this.#pending -= lease.pending.length;
    lease.pending = [];
    this.#dirty.delete(lease);
    this.#held.delete(lease);
    return lease;
  }
}

/** Outcomes on their way to the store. */
export interface Batch {
  readonly leases: readonly HeldLease[];
  readonly settlements: readonly Settlement[];
}

function count(settlements: readonly Settlement[]): number {
  return settlements.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
}
