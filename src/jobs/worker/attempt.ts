/** One attempt: reads the input, runs the handler in a scope of its own, and says how it ended, once. */
import { setMaxListeners } from "node:events";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { messageOf, NightshiftError, show } from "../../errors/index.ts";
import type { Resolver, Scope, ScopeFactory } from "../../services/index.ts";
import type { ClaimedJob, Outcome } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import { type Clock, type Duration, formatDuration, parseDuration, type Timer } from "../../time/index.ts";
import { readMeta } from "../client/details.ts";
import type { JobDefinition } from "../definition.ts";
import { Snooze } from "../fatal-error.ts";
import type { JobContext } from "../job-context.ts";
import { refuseLongerThan, toJson } from "../json.ts";
import { type Checked, check, issuesText } from "../schema.ts";
import type { HeldLease } from "./held-lease.ts";
import { deadOutcome, outcomeOfThrown, Succeeded } from "./outcome.ts";
import { tellOutcome, tellTooLate } from "./tell.ts";

/** How long a handler may go on after its signal was aborted before its outcome is recorded without it. */
export const ABORT_GRACE = 10_000;

const NO_INPUT: Checked = { value: undefined };

/** What an attempt needs of its worker. */
export interface AttemptWorker {
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly scopes: ScopeFactory;
  readonly random: () => number;
  readonly maxPayload: number;
  /** The outcome is known; undefined when it must not be recorded, as the lease is lost. Called once per attempt. */
  over(attempt: Attempt, outcome: Outcome | undefined): void;
}

/** A running attempt; also what its handler sees as its {@link JobContext}. Everything that most handlers do not ask for is made when asked for. */
export class Attempt implements JobContext {
  // All private: a handler that logs its context must not log its input and the engine's inside with it.
  readonly #job: ClaimedJob;
  readonly #lease: HeldLease;
  readonly #definition: JobDefinition;
  readonly #worker: AttemptWorker;
  readonly #startedAt: number;
  #over = false;
  #aborted: NightshiftError | undefined;
  #cancelReason = "";
  #controller: AbortController | undefined;
  #scope: Scope | undefined;
  #logger: LoggerLike | undefined;
  #meta: Readonly<Record<string, unknown>> | undefined;
  /** The timeout first, then the grace after an abort. */
  #timer: Timer | undefined;
  #place = 0;

  constructor(job: ClaimedJob, lease: HeldLease, definition: JobDefinition, worker: AttemptWorker) {
    this.#job = job;
    this.#lease = lease;
    this.#definition = definition;
    this.#worker = worker;
    this.#startedAt = worker.clock.monotonic();
  }

  get lease(): HeldLease {
    return this.#lease;
  }
  /** Where it stands among those that run. */
  get place(): number {
    return this.#place;
  }
  set place(place: number) {
    this.#place = place;
  }
  get id(): string {
    return this.#job.id;
  }
  get name(): string {
    return this.#job.name;
  }
  get queue(): string {
    return this.#lease.queue;
  }
  get priority(): number {
    return this.#job.priority;
  }
  get attempt(): number {
    return this.#job.attempt;
  }
  get maxAttempts(): number {
    return this.#job.maxAttempts;
  }
  get enqueuedAt(): number {
    return this.#job.createdAt;
  }

  get meta(): Readonly<Record<string, unknown>> {
    this.#meta ??= Object.freeze(readMeta(this.#job.meta));
    return this.#meta;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // A handler may well pass it on to more than ten calls.
      setMaxListeners(0, this.#controller.signal);
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  get logger(): LoggerLike {
    const { id, name, attempt } = this;
    this.#logger ??= this.#worker.logger.child({ job: id, jobName: name, attempt });
    return this.#logger;
  }

  get services(): Resolver {
    this.#scope ??= this.#worker.scopes.createScope();
    return this.#scope;
  }

  /** What loggers write of it. */
  toJSON(): object {
    const { id, name, queue, attempt, maxAttempts } = this;
    return { id, name, queue, attempt, maxAttempts };
  }

  snooze(delay: Duration): never {
    throw new Snooze(parseDuration(delay, "snooze"));
  }

  /** Begins. Never throws: whatever happens becomes an outcome, soon or later. */
  run(): void {
    const { timeout } = this.#definition;
    if (timeout !== undefined) this.#timer = this.#worker.clock.setTimer(timeout, () => this.#timeOut(timeout));
    try {
      const checked = this.#readInput();
      if (checked instanceof Promise) {
        checked.then(
          (result) => this.#begin(result),
          (error: unknown) => this.#refuseInput(error),
        );
      } else this.#begin(checked);
    } catch (error) {
      this.#refuseInput(error);
    }
  }

  /** Aborts the handler's signal. It has {@link ABORT_GRACE} to end; then its outcome is recorded without it. */
  abort(reason: NightshiftError, cancelReason = ""): void {
    if (this.#over || this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#cancelReason = cancelReason;
    this.#timer?.cancel();
    this.#timer = this.#worker.clock.setTimer(ABORT_GRACE, () => this.abandon());
    this.#controller?.abort(reason);
  }

  /** Records the outcome of a handler that ignores its signal, and does not wait for it any longer. */
  abandon(): void {
    if (this.#over) return;
    const reason = this.#aborted ?? new NightshiftError("NS_HOST_STOPPING", "The host is stopping.");
    this.#aborted = reason;
    const facts = { job: this.id, jobName: this.name, attempt: this.attempt };
    const since = formatDuration(this.#ms());
    const advice = "Pass job.signal on to what it awaits.";
    this.#worker.logger.error(
      facts,
      `Job ${this.id} (${this.name}) ignores its aborted signal (${reason.code}) and is not waited for any more, after ${since}. ${advice}`,
    );
    this.#threw(reason);
  }

  #readInput(): Checked | Promise<Checked> {
    const { input: schema } = this.#definition;
    if (schema === undefined) return NO_INPUT;
    return check(schema, JSON.parse(this.#job.input));
  }

  #refuseInput(cause: unknown): void {
    const message = `The stored input of job ${this.id} (${this.name}) cannot be read: ${messageOf(cause)}`;
    this.#finish(deadOutcome(this.#job, new NightshiftError("NS_JOB_INPUT", message, { cause }), this.#ms()));
  }

  #begin(checked: Checked): void {
    if (this.#over) return;
    if (checked.issues !== undefined) {
      const why = "The schema has changed since it was enqueued, or another program wrote it.";
      const message = `The stored input of job ${show(this.name)} does not match its schema: ${issuesText(checked.issues)}. ${why}`;
      const error = new NightshiftError("NS_JOB_INPUT", message, { details: { issues: checked.issues } });
      this.#finish(deadOutcome(this.#job, error, this.#ms()), error);
      return;
    }
    try {
      const returned = this.#call(checked.value);
      if (isThenable(returned)) {
        returned.then(
          (value) => this.#end("returned", value),
          (error: unknown) => this.#end("threw", error),
        );
      } else this.#end("returned", returned);
    } catch (error) {
      this.#end("threw", error);
    }
  }

  #call(input: unknown): unknown {
    const definition = this.#definition;
    if (definition.inject.length === 0) return definition.run(input, this);
    const { services } = this;
    return definition.run(input, this, ...definition.inject.map((dependency) => services.get(dependency)));
  }

  /** Disposes the scope, then tells the end. A scope that fails to be disposed may hold unwritten work: the attempt has failed. */
  #end(how: "returned" | "threw", value: unknown): void {
    const tell = how === "returned" ? this.#returned : this.#threw;
    const scope = this.#scope;
    if (scope === undefined) tell.call(this, value);
    else {
      scope[Symbol.asyncDispose]().then(
        () => tell.call(this, value),
        (error: unknown) => this.#threw(error),
      );
    }
  }

  #returned(value: unknown): void {
    const { output: schema } = this.#definition;
    if (this.#over) this.#tooLate("completed");
    else if (schema === undefined) this.#finish(new Succeeded(this.#job.id, this.#ms()));
    else this.#keep(value, schema);
  }

  /** Completes with a result, if it is what the output schema says. */
  #keep(value: unknown, schema: StandardSchemaV1): void {
    try {
      const json = toJson(value);
      if ("flaw" in json) throw badOutput(this.name, `${json.flaw.path} ${json.flaw.message}`);
      refuseLongerThan(json.text, this.#worker.maxPayload, () => `The output of job ${show(this.name)}`);
      const conclude = (checked: Checked) => {
        if (checked.issues !== undefined) throw badOutput(this.name, issuesText(checked.issues));
        this.#finish({ job: this.#job.id, type: "succeeded", ms: this.#ms(), result: json.text });
      };
      const checked = check(schema, JSON.parse(json.text));
      if (checked instanceof Promise) checked.then(conclude).catch((error: unknown) => this.#refuseOutput(error));
      else conclude(checked);
    } catch (error) {
      this.#refuseOutput(error);
    }
  }

  /** Not tried again: the work is done, and doing it twice would not mend what it says. */
  #refuseOutput(error: unknown): void {
    this.#finish(deadOutcome(this.#job, error, this.#ms()), error);
  }

  #threw(thrown: unknown): void {
    if (this.#over) {
      this.#tooLate("failed", thrown);
      return;
    }
    const { outcome, error } = outcomeOfThrown({
      job: this.#job,
      definition: this.#definition,
      thrown,
      aborted: this.#aborted,
      cancelReason: this.#cancelReason,
      ms: this.#ms(),
      random: this.#worker.random(),
    });
    this.#finish(outcome, error);
  }

  #finish(outcome: Outcome, error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    if (this.#lease.lost) {
      this.#tooLate(outcome.type, error);
      this.#worker.over(this, undefined);
      return;
    }
    tellOutcome(this.#worker.logger, this.#job, outcome, error);
    this.#worker.over(this, outcome);
  }

  #timeOut(timeout: number): void {
    const message = `Attempt ${this.attempt} of job ${this.id} (${this.name}) ran longer than its timeout, ${formatDuration(timeout)}.`;
    this.abort(new NightshiftError("NS_JOB_TIMEOUT", message, { details: { timeout } }));
  }

  #tooLate(how: string, error?: unknown): void {
    tellTooLate(this.#worker.logger, this.#job, how, this.#lease.lost, error);
  }

  #ms(): number {
    return Math.max(0, Math.round(this.#worker.clock.monotonic() - this.#startedAt));
  }
}

function badOutput(name: string, what: string): NightshiftError {
  return new NightshiftError(
    "NS_JOB_OUTPUT",
    `What job ${show(name)} returned does not match its output schema: ${what}.`,
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
