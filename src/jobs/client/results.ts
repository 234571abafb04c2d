/** What became of a job: waits until it is over, then reads what its handler returned, or throws why there is nothing. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { JobDetail, JobId } from "../../store/contract.ts";
import { type Clock, parseDuration } from "../../time/index.ts";
import type { JobDefinition } from "../definition.ts";
import { parseFailure, reviveFailure } from "../failure.ts";
import { check, issuesText } from "../schema.ts";
import type { ResultOptions } from "./handle.ts";
import type { StoreAccess } from "./store-access.ts";
import { Waiters } from "./waiters.ts";

export class Results implements Disposable {
  readonly #access: StoreAccess;
  readonly #clock: Clock;
  readonly #waiters: Waiters;

  constructor(access: StoreAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
    this.#waiters = new Waiters(access.store, clock);
  }

  /** The result as the definition's output schema reads it. @throws as {@link JobHandle.result} */
  async of(id: JobId, definition: JobDefinition | undefined, { timeout, signal }: ResultOptions): Promise<unknown> {
    const store = await this.#access.open();
    const limit = timeout === undefined ? undefined : parseDuration(timeout, "timeout");
    await this.#waitWithin(id, limit, signal);
    const detail = await store.getJob(id);
    if (detail === null) throw notFound(id);
    return resultOf(detail, definition);
  }

  /** Everybody who still waits is told that nothing will come. */
  [Symbol.dispose](): void {
    this.#waiters[Symbol.dispose]();
  }

  async #waitWithin(id: JobId, limit: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (limit === undefined) return this.#waiters.wait(id, signal);
    const late = new AbortController();
    using _timer = this.#clock.setTimer(limit, () => {
      const message = `Job ${id} was not over within ${limit} ms. It goes on; await it again or cancel it.`;
      late.abort(new NightshiftError("NS_TIMEOUT", message));
    });
    await this.#waiters.wait(id, signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]));
  }
}

function notFound(id: JobId): NightshiftError {
  const why = "Its id is wrong, its transaction has not committed, or it is over and was removed after its retention.";
  return new NightshiftError("NS_JOB_NOT_FOUND", `No job ${show(id)} exists. ${why}`);
}

async function resultOf(detail: JobDetail, definition: JobDefinition | undefined): Promise<unknown> {
  const { id, name, state } = detail;
  if (state === "succeeded") {
    if (detail.result === null) return undefined;
    const value: unknown = JSON.parse(detail.result);
    if (definition?.output === undefined) return value;
    const checked = await check(definition.output, value);
    if (checked.issues === undefined) return checked.value;
    const message = `The stored result of job ${id} (${name}) does not match its schema: ${issuesText(checked.issues)}.`;
    throw new NightshiftError("NS_JOB_OUTPUT", message, { details: { issues: checked.issues } });
  }
  const failure = detail.error ?? detail.history.at(-1)?.error ?? null;
  const cause = failure === null ? undefined : parseFailure(failure);
  const because = cause === undefined ? "" : `: ${cause.message}`;
  if (state === "cancelled") {
    throw new NightshiftError("NS_JOB_CANCELLED", `Job ${id} (${name}) was cancelled${because}`);
  }
  throw new NightshiftError("NS_JOB_FAILED", `Job ${id} (${name}) is ${state}${because}`, {
    ...(cause === undefined ? {} : { cause: reviveFailure(cause) }),
    details: { id, state, attempt: detail.attempt },
  });
}
