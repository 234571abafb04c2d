/** What the log says of an attempt's end: success is quiet, everything else is not. */
import type { ClaimedJob, Outcome } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { formatDuration } from "../../time/index.ts";

/** Logs an outcome. */
export function tellOutcome(logger: LoggerLike, job: ClaimedJob, outcome: Outcome, error: unknown): void {
  const { id, name, attempt, maxAttempts } = job;
  if (outcome.type === "succeeded") {
    // By far the most: as little as can be is made for it, as it is rarely written.
    logger.debug({ job: id, jobName: name, attempt, ms: outcome.ms }, "job succeeded");
    return;
  }
  const facts = { job: id, jobName: name, attempt, ...("ms" in outcome ? { ms: outcome.ms } : {}) };
  switch (outcome.type) {
    case "retry": {
      const said = `Job ${id} (${name}) failed in attempt ${attempt} of ${maxAttempts}, again in ${formatDuration(outcome.in)}`;
      logger.warn({ ...facts, err: error }, said);
      break;
    }
    case "dead":
      logger.error({ ...facts, err: error }, `Job ${id} (${name}) is dead after attempt ${attempt} of ${maxAttempts}`);
      break;
    case "cancelled":
      logger.info({ ...facts, reason: outcome.reason }, `Job ${id} (${name}) was cancelled`);
      break;
    case "snoozed":
      logger.debug(facts, `Job ${id} (${name}) asked to be run again in ${formatDuration(outcome.in)}`);
      break;
    case "released":
      logger.info(facts, `Job ${id} (${name}) was handed back unfinished; this attempt does not count`);
      break;
  }
}

/** Logs an end that comes when the outcome is recorded already, or must not be. */
export function tellTooLate(
  logger: LoggerLike,
  job: ClaimedJob,
  how: string,
  leaseLost: boolean,
  error: unknown,
): void {
  const { id, name, attempt } = job;
  const facts = { job: id, jobName: name, attempt, ...(error === undefined ? {} : { err: error }) };
  const why = leaseLost ? "its lease is lost, so this outcome is refused" : "its outcome was recorded before";
  logger.warn(facts, `Job ${id} (${name}) ${how} too late: ${why}`);
}
