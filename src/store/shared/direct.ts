/** Jobs that were claimed in the commit that stored them: nobody need be woken for these. */
import type { ClaimRequest, JobId, Lease, NewJob } from "../contract.ts";

/** Which of the jobs were not claimed: somebody must be told of them. */
export function notClaimed(jobs: readonly NewJob[], ids: readonly JobId[], leases: readonly Lease[]): NewJob[] {
  const claimed = new Set(leases.flatMap((lease) => lease.jobs.map(({ id }) => id)));
  return jobs.filter((_job, index) => !claimed.has(ids[index] ?? ""));
}

/**
 * Whether a claim would take exactly these jobs, in their order, if nothing stood before them: one queue and priority,
 * one name that is known, due at once, and not more than are wanted.
 */
export function areAlike(jobs: readonly NewJob[], { wants, names }: ClaimRequest): boolean {
  const [first] = jobs;
  const [want] = wants;
  if (first === undefined || want === undefined || wants.length > 1) return false;
  const { queue, name, priority } = first;
  if (want.queue !== queue || want.limit < jobs.length || !names.has(name)) return false;
  return jobs.every((job) => {
    return job.due === undefined && job.queue === queue && job.name === name && job.priority === priority;
  });
}
