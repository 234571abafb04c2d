/** Jobs that were claimed in the commit that stored them: nobody need be woken for these. */
import type { JobId, Lease, NewJob } from "../contract.ts";

/** Which of the jobs were not claimed: somebody must be told of them. */
export function notClaimed(jobs: readonly NewJob[], ids: readonly JobId[], leases: readonly Lease[]): NewJob[] {
  const claimed = new Set(leases.flatMap((lease) => lease.jobs.map(({ id }) => id)));
  return jobs.filter((_job, index) => !claimed.has(ids[index] ?? ""));
}
