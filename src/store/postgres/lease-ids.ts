/**
 * The ids of this process's leases: the instance in the upper half, a count of its own in the lower. Not a sequence of the
 * database, which a crash or a failover may set back: a lease that was forgotten would then give its id, and with it its
 * right to settle, to another one.
 */
import { randomInt } from "node:crypto";
import type { InstanceId } from "../contract.ts";

const HALF = 2 ** 32;

export class LeaseIds {
  /** From anywhere, so that two stores that claim for one instance do not meet. */
  #next = randomInt(HALF);

  /** The first of so many ids that follow each other. */
  take(instance: InstanceId, count: number): string {
    if (this.#next + count > HALF) this.#next = 0;
    const first = (BigInt(instance) << 32n) | BigInt(this.#next);
    this.#next += count;
    return String(first);
  }
}
