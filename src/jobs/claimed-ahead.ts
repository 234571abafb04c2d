/** What a list of processes tells of jobs that are claimed and have not begun. */
import type { StoredInstance } from "../store/contract.ts";

/**
 * At least how many of the jobs that processes hold wait there for a free slot. A store knows who holds a job, not whether its
 * handler has begun: what a process holds beyond its slots has not.
 */
export function claimedAhead(instances: readonly Pick<StoredInstance, "running" | "concurrency">[]): number {
  return instances.reduce((sum, { running, concurrency }) => sum + Math.max(0, running - concurrency), 0);
}
