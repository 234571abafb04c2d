/** Background queues that hand what is left at the stop over to durable jobs: the same item, now safe. */
import type { BackgroundQueueOptions, Work, WorkItem } from "../hosting/index.ts";
import type { Dependency } from "../services/index.ts";
import { Jobs } from "./client/jobs.ts";
import { isJobDefinition, type JobDefinition } from "./definition.ts";

/** The options of a background queue whose leftovers may become jobs. */
export type DurableQueueOptions<T = WorkItem, D extends readonly Dependency[] = readonly Dependency[]> = Omit<
  BackgroundQueueOptions<T, D>,
  "handOver"
> & {
  /**
   * Takes the leftovers at the stop, when `onStop` is `"hand-over"`: a job definition whose input is the item (it must
   * be among `addJobs({ jobs })`), or a function.
   */
  readonly handOver?: JobDefinition<T> | BackgroundQueueOptions<T, D>["handOver"];
};

/** The definition that leftovers become jobs of, if one was given. */
export function handOverJob<T>(handOver: unknown): JobDefinition<T> | undefined {
  return isJobDefinition(handOver) ? (handOver as JobDefinition<T>) : undefined;
}

/** The function that makes jobs of leftovers: all of them in one commit. */
export function handOverTo<T>(definition: JobDefinition<T>): (items: readonly T[], work: Work) => Promise<void> {
  return async (items, { services }) => {
    await services.get(Jobs).enqueueMany(definition, items);
  };
}
