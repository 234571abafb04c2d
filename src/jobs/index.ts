/** Jobs: definitions, the client, and what runs them. */
export { addJobsTo, JobStore, type JobsFeature, type JobsSurroundings } from "./add-jobs.ts";
export { claimedAhead } from "./claimed-ahead.ts";
export type { JobDetails, JobHistoryEntry } from "./client/details.ts";
export type { JobHandle, ResultOptions } from "./client/handle.ts";
export { type EnqueueArguments, Jobs } from "./client/jobs.ts";
export { type EnqueueJobOptions, encodeInput, jobFrame } from "./client/new-job.ts";
export { type CreateJobsOptions, createJobs } from "./create-jobs.ts";
export {
  adviceOnDefinition,
  defineJob,
  type InputOf,
  isJobDefinition,
  type JobDefinition,
  type JobOptions,
  type NoInput,
  type NoOutput,
  type OutputOf,
} from "./definition.ts";
export type { ClientOptions, JobsOptions, RetentionOption } from "./engine-options.ts";
export { type JobFailure, parseFailure } from "./failure.ts";
export { FatalError } from "./fatal-error.ts";
export { type DurableQueueOptions, handOverJob, handOverTo } from "./hand-over.ts";
export type { JobContext } from "./job-context.ts";
export { Outages } from "./outages.ts";
export type { JobRegistry } from "./registry.ts";
export type { Backoff, Jitter, RetryOptions, RetryPolicy } from "./retry.ts";
export { type InputIssue, unchecked } from "./schema.ts";
export { VERSION } from "./version.ts";
