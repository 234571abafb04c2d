/** A lease's jobs as they are kept in its row: one flat JSON array, three numbers a job. */
import type { JobId } from "../contract.ts";

/** A job under a lease. */
export interface LeasedJob {
  readonly id: number;
  readonly attempt: number;
  readonly nameId: number;
}

export function encodeLeased(jobs: Iterable<LeasedJob>): string {
  const flat: number[] = [];
  for (const { id, attempt, nameId } of jobs) flat.push(id, attempt, nameId);
  return JSON.stringify(flat);
}

/** By job id, in the order of the claim. */
export function decodeLeased(text: string): Map<JobId, LeasedJob> {
  const flat = JSON.parse(text) as number[];
  const jobs = new Map<JobId, LeasedJob>();
  for (let index = 0; index < flat.length; index += 3) {
    const job = { id: flat[index] as number, attempt: flat[index + 1] as number, nameId: flat[index + 2] as number };
    jobs.set(String(job.id), job);
  }
  return jobs;
}
