/** A service that runs something on a rhythm: a period or a trigger, one scope per tick, never two ticks at once. */
import { NightshiftError, type Problems } from "../errors/index.ts";
import { hasMethods, oneOf } from "../errors/option-checks.ts";
import type { Dependency, Resolved, Resolver, Token } from "../services/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { type Clock, type Duration, parseDuration, sleep, type Trigger } from "../time/index.ts";
import { isCancellation } from "./abort.ts";
import { bounded } from "./bounded.ts";
import type { Executable, ServiceContext } from "./hosted-service.ts";
import type { ServiceOptions } from "./options.ts";
import { type Pace, periodPace, triggerPace } from "./pace.ts";

/** One run of a timed service. */
export interface Tick {
  /** Aborted when the host stops, or the tick's time is over. */
  readonly signal: AbortSignal;
  /** When it was due, without the jitter. */
  readonly plannedAt: Date;
  /** Counts from 0. */
  readonly index: number;
  /** How many ticks fell due while the one before was running, and are not made up for. */
  readonly missed: number;
  /** The tick's own scope, disposed at its end. */
  readonly services: Resolver;
  readonly logger: LoggerLike;
  /** Says "I am alive"; see {@link ServiceContext.beat}. */
  beat(doing?: string): void;
}

/** The options of a timed service, beside those of every service. Give `every` or `trigger`. */
export interface TimedOptions<D extends readonly Dependency[] = readonly Dependency[]> extends ServiceOptions {
  /** The period, on a fixed grid from the start. */
  readonly every?: Duration;
  /** Any rule for fire times: `cron("0 3 * * *")`, for example. */
  readonly trigger?: Trigger;
  /** Run once at the start too. Default `false`. */
  readonly immediately?: boolean;
  /** A tick that falls due while the one before is running is skipped, or queued: run right after it, several as one. Default `"skip"`. */
  readonly overlap?: "skip" | "queue";
  /** Delays each tick by a random time up to this, so that many processes do not act at once. Default 0. */
  readonly jitter?: Duration;
  /** The time for one tick; its signal is aborted then. Default: no limit. */
  readonly timeout?: Duration;
  /** A tick that throws is logged and the rhythm goes on, or the service fails and its restart policy decides. Default `"log"`. */
  readonly onError?: "log" | "fail";
  /** What the tick needs, resolved in its own scope and given to `run`. */
  readonly inject?: D;
}

/** What runs at each tick. */
export type TimedRun<D extends readonly Dependency[]> = (
  tick: Tick,
  ...dependencies: Resolved<D>
) => Promise<void> | void;

/** The options that are a timed service's own. */
export const TIMED_OPTIONS = [
  "every",
  "trigger",
  "immediately",
  "overlap",
  "jitter",
  "timeout",
  "onError",
  "inject",
] as const satisfies readonly (keyof TimedOptions)[];

/** How long a tick whose time is over may go on before it is reported. */
const TICK_GRACE = 5_000;

/** The options, decided. */
export interface DecidedTiming {
  readonly pace: (clock: Clock) => Pace;
  readonly jitter: number;
  readonly timeout: number | undefined;
  readonly onError: "log" | "fail";
}

/** Checks the options that are a timed service's own. */
export function readTiming(given: TimedOptions, what: string, problems: Problems): DecidedTiming {
  const time = (name: "every" | "jitter" | "timeout", value: Duration) =>
    problems.attempt(() => parseDuration(value, `${what}'s ${name}`)) ?? 1;
  const overlap = given.overlap ?? "skip";
  const onError = given.onError ?? "log";
  const immediately = given.immediately ?? false;
  oneOf(overlap, ["skip", "queue"], `${what}'s overlap`, problems);
  oneOf(onError, ["log", "fail"], `${what}'s onError`, problems);
  oneOf(immediately, [true, false], `${what}'s immediately`, problems);
  const { every, trigger } = given;
  if ((every === undefined) === (trigger === undefined)) {
    const found = every === undefined ? "neither every nor trigger" : "both every and trigger";
    problems.add("NS_OPTION_INVALID", `${what} has ${found}. Give one of them.`);
  }
  if (trigger !== undefined) {
    const advice = 'Give a trigger such as cron("0 3 * * *").';
    hasMethods(trigger, ["next", "previous", "upcoming"], `${what}'s trigger`, advice, problems);
  }
  const period = every === undefined ? 1 : time("every", every);
  if (period === 0) problems.add("NS_OPTION_INVALID", `${what}'s every is 0. Give more than 0 milliseconds.`);
  const pacing = { queue: overlap === "queue", immediately };
  return {
    pace: (clock) => (trigger === undefined ? periodPace(clock, period, pacing) : triggerPace(clock, trigger, pacing)),
    jitter: time("jitter", given.jitter ?? 0),
    timeout: given.timeout === undefined ? undefined : time("timeout", given.timeout),
    onError,
  };
}

/** Runs the ticks. */
export class TimedService implements Executable {
  readonly #timing: DecidedTiming;
  readonly #run: (tick: Tick, ...dependencies: never[]) => unknown;
  readonly #needs: Token<readonly unknown[]>;
  readonly #parts: { readonly services: Resolver; readonly clock: Clock; readonly random: () => number };

  constructor(
    timing: DecidedTiming,
    run: (tick: Tick, ...dependencies: never[]) => unknown,
    needs: Token<readonly unknown[]>,
    parts: { readonly services: Resolver; readonly clock: Clock; readonly random: () => number },
  ) {
    this.#timing = timing;
    this.#run = run;
    this.#needs = needs;
    this.#parts = parts;
  }

  async execute(stopping: AbortSignal, context: ServiceContext): Promise<void> {
    const { clock, random } = this.#parts;
    const pace = this.#timing.pace(clock);
    try {
      for (let index = 0; ; index++) {
        const due = await pace.next(stopping);
        if (due === null) return;
        if (this.#timing.jitter > 0) await sleep(clock, Math.floor(random() * this.#timing.jitter), stopping);
        context.beat();
        await this.#tick({ ...due, index }, stopping, context);
      }
    } catch (error) {
      // Told to stop while waiting: the end of a timed service's work, not a failure.
      if (!(stopping.aborted && isCancellation(error, stopping))) throw error;
    }
  }

  async #tick(
    due: Pick<Tick, "index" | "missed" | "plannedAt">,
    stopping: AbortSignal,
    context: ServiceContext,
  ): Promise<void> {
    const { clock, services } = this.#parts;
    const { timeout } = this.#timing;
    const step = async (signal: AbortSignal) => {
      await using scope = services.createScope();
      const tick: Tick = { ...due, signal, services: scope, logger: context.logger, beat: context.beat };
      await this.#run(tick, ...(scope.get(this.#needs) as never[]));
    };
    // A stop waits for the tick as long as the service's own time for stopping lasts, so its grace has no end here.
    const grace = timeout === undefined ? Number.MAX_SAFE_INTEGER : TICK_GRACE;
    const outcome = await bounded(step, { clock, signal: stopping, timeout, grace, what: `A tick of ${context.name}` });
    if (outcome.kind === "done") return;
    const error =
      outcome.kind === "failed"
        ? outcome.error
        : new NightshiftError("NS_TIMEOUT", `A tick of ${context.name} went on after its time was over.`);
    if (stopping.aborted && isCancellation(error, stopping)) return;
    if (this.#timing.onError === "fail") throw error;
    context.logger.error({ err: error, tick: due.index }, "a tick failed; the next one runs as planned");
  }
}
