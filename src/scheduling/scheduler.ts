/**
 * The hosted service that fires schedules. It runs on every instance and needs no leader: the store lets one instance
 * move a schedule on, whoever is first. Time is the store's; the local clock only measures how long to wait.
 */
import { setImmediate } from "node:timers/promises";
import { BackgroundService, type ServiceContext } from "../hosting/index.ts";
import { type JobDefinition, Outages } from "../jobs/index.ts";
import { FINAL_STATES, type JobState, type Store, type StoredSchedule, type Wake } from "../store/contract.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock, Timer } from "../time/index.ts";
import type { Declarations } from "./declarations.ts";
import { type Batch, type FiringParts, fireBatch } from "./firing.ts";
import { Reader } from "./readable.ts";
import type { StoreSource } from "./store-source.ts";

/** What a {@link Scheduler} is made of. */
export interface SchedulerParts {
  readonly source: StoreSource;
  readonly definitionOf: (job: string) => JobDefinition | undefined;
  readonly declarations: Declarations;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  /** The instance's name, for the history. */
  readonly by: string;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly timing?: Partial<SchedulerTiming>;
}

/** Its rhythm, in milliseconds. */
export interface SchedulerTiming {
  /** How long it never waits longer than: the net under the wake-ups. */
  readonly poll: number;
  /** How often it looks after what code declares, and removes old history. */
  readonly upkeep: number;
  /** How long occurrences are kept. */
  readonly history: number;
}

const DEFAULT_TIMING: SchedulerTiming = { poll: 15_000, upkeep: 20_000, history: 30 * 86_400_000 };
const BATCH = 500;
/** Wake-ups of others come with each of their commits; a look for each would be a load of its own. */
const WAKE_GAP = 50;
/**
 * An instance that lost a race leaves the next fires to the winner for this long, and a random part more. So one of
 * twenty instances does the work, and another takes over within a fraction of a second when it is gone.
 */
const STAND_BACK = { least: 50, spread: 150 };
const BACK_OFF = { first: 100, longest: 15_000 };
const PRUNE_LIMIT = 500;
const PRUNE_AGAIN = 250;
/** In rounds of upkeep, where nothing was to remove: each look is two statements. */
const PRUNE_IDLE = 3;
/** A schedule that cannot be fired here is tried again after this long: another process may have repaired the cause. */
const SET_ASIDE_FOR = 300_000;

/** Fires schedules until it is stopped. Errors of the store make it wait, never end. */
export class Scheduler extends BackgroundService {
  readonly #parts: SchedulerParts;
  readonly #timing: SchedulerTiming;
  readonly #outages: Outages;
  readonly #aside = new Map<string, { readonly revision: number; readonly until: number }>();
  /** Held schedules by the job that they wait for. */
  readonly #waitingFor = new Map<string, string>();
  readonly #released = new Set<string>();
  #firing: FiringParts | undefined;
  #standBack = 0;
  #upkeepDue = 0;
  #pruneDue = 0;
  #woken = false;
  #othersWrote = false;
  #wakeUp: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    super();
    this.#parts = parts;
    this.#timing = { ...DEFAULT_TIMING, ...parts.timing };
    this.#outages = new Outages(parts.clock, parts.logger);
  }

  /** Brings what the code declares into the store, and then begins to fire. */
  override async start(signal: AbortSignal, context?: ServiceContext): Promise<void> {
    const store = await this.#parts.source.open();
    signal.throwIfAborted();
    await this.#parts.declarations.reconcile(store);
    this.#upkeepDue = this.#pruneDue = this.#parts.clock.monotonic() + this.#timing.upkeep;
    await super.start(signal, context);
  }

  async execute(stopping: AbortSignal, context: ServiceContext): Promise<void> {
    const store = await this.#parts.source.open();
    const { definitionOf, clock, logger, by } = this.#parts;
    this.#firing = { store, definitionOf, clock, logger, by, reader: new Reader() };
    using _subscription = store.subscribe((wake) => this.#hear(wake));
    let failures = 0;
    while (!stopping.aborted) {
      let wait: number;
      try {
        wait = await this.#round(store, stopping);
        if (failures > 0) this.#outages.succeeded("scheduler");
        failures = 0;
        context.beat("waiting for the next occurrence");
      } catch (err) {
        if (stopping.aborted) break;
        failures++;
        wait = this.#backOff(failures);
        this.#woken = false;
        this.#outages.failed("scheduler", err, wait);
      }
      await this.#wait(wait, failures > 0, stopping);
    }
    await this.#parts.declarations.leave(store).catch((err: unknown) => {
      logger.debug({ err }, "the declaration's term was not given up; it runs out by itself");
    });
  }

  /** Fires what is due; gives how long there is nothing to do. */
  async #round(store: Store, stopping: AbortSignal): Promise<number> {
    const { clock } = this.#parts;
    while (!stopping.aborted) {
      this.#woken = false;
      await this.#upkeep(store);
      const { now, due, nextAt } = await store.dueSchedules(BATCH + this.#aside.size);
      const looked = clock.monotonic();
      const fireable = due.filter((schedule) => this.#isFireable(schedule));
      const early = await this.#takeReleased(store, fireable);
      const ready = fireable.filter((schedule) => now - (schedule.nextAt ?? now) >= this.#standBack);
      const oldest = fireable[0]?.nextAt ?? null;
      if (ready.length === 0 && early.length === 0) {
        const untilNext = nextAt === null ? Infinity : nextAt - now + this.#standBack;
        const untilReady = oldest === null ? Infinity : oldest + this.#standBack - now;
        const untilUpkeep = Math.min(this.#upkeepDue, this.#pruneDue) - looked;
        const wait = Math.min(untilNext, untilReady, this.#timing.poll, untilUpkeep) - (clock.monotonic() - looked);
        return Math.max(1, wait);
      }
      const batch = await fireBatch(this.#firingParts(), [...early, ...ready], now);
      this.#conclude(batch);
      // A long backlog must not keep the rest of the process from its turn.
      if (batch.cut || due.length >= BATCH) await setImmediate();
    }
    return 0;
  }

  #conclude(batch: Batch): void {
    if (batch.won > 0 && batch.won >= batch.lost) this.#standBack = 0;
    else if (batch.lost > 0) this.#standBack = STAND_BACK.least + this.#parts.random() * STAND_BACK.spread;
    const until = this.#parts.clock.monotonic() + SET_ASIDE_FOR;
    for (const { stored, error: err } of batch.broken) {
      this.#aside.set(stored.id, { revision: stored.revision, until });
      this.#parts.logger.error({ err, schedule: stored.id }, "a schedule cannot be fired and was set aside");
    }
    for (const { schedule, job } of batch.held) this.#waitingFor.set(job, schedule);
  }

  #isFireable({ id, revision }: StoredSchedule): boolean {
    const aside = this.#aside.get(id);
    if (aside === undefined) return true;
    if (aside.revision === revision && this.#parts.clock.monotonic() < aside.until) return false;
    this.#aside.delete(id);
    return true;
  }

  /** Held schedules whose job is over, of those that are not due anyway. */
  async #takeReleased(store: Store, due: readonly StoredSchedule[]): Promise<readonly StoredSchedule[]> {
    if (this.#othersWrote) await this.#askForEnded(store);
    if (this.#released.size === 0) return [];
    const ids = [...this.#released].filter((id) => !due.some((schedule) => schedule.id === id));
    this.#released.clear();
    if (ids.length === 0) return [];
    const found = await store.getSchedules(ids);
    return found.filter((schedule) => !schedule.paused && this.#isFireable(schedule) && this.#isHeld(schedule));
  }

  /** Other processes' commits say nothing of what they are: any of them may have ended a job that is waited for. */
  async #askForEnded(store: Store): Promise<void> {
    this.#othersWrote = false;
    if (this.#waitingFor.size === 0) return;
    const states = await store.statesOf([...this.#waitingFor.keys()]);
    const final: readonly JobState[] = FINAL_STATES;
    for (const [job, schedule] of [...this.#waitingFor]) {
      const state = states.get(job);
      if (state !== undefined && !final.includes(state)) continue;
      this.#waitingFor.delete(job);
      this.#released.add(schedule);
    }
  }

  #isHeld(schedule: StoredSchedule): boolean {
    try {
      return this.#firingParts().reader.definition(schedule).state.held !== undefined;
    } catch (err) {
      this.#parts.logger.debug({ err, schedule: schedule.id }, "a held schedule cannot be read any more");
      return false;
    }
  }

  async #upkeep(store: Store): Promise<void> {
    const { clock, declarations } = this.#parts;
    await this.#prune(store);
    if (clock.monotonic() < this.#upkeepDue) return;
    this.#upkeepDue = clock.monotonic() + this.#timing.upkeep;
    await declarations.tend(store);
    // Old marks of schedules that are gone, or of jobs whose end was not heard of, may not pile up.
    for (const [id, { until }] of this.#aside) if (clock.monotonic() >= until) this.#aside.delete(id);
    if (this.#waitingFor.size > BATCH) this.#waitingFor.clear();
  }

  /** In small parts, each between two fires: history goes as fast as it comes, and nothing is late for it. */
  async #prune(store: Store): Promise<void> {
    const { clock, logger } = this.#parts;
    if (clock.monotonic() < this.#pruneDue) return;
    const before = (await store.now()) - this.#timing.history;
    const pruned = await store.pruneOccurrences(before, PRUNE_LIMIT);
    this.#pruneDue =
      clock.monotonic() + (pruned === PRUNE_LIMIT ? PRUNE_AGAIN : this.#timing.upkeep * (pruned > 0 ? 1 : PRUNE_IDLE));
    if (pruned > 0) logger.debug({ pruned }, "removed old occurrences from the history");
  }

  #hear(wake: Wake): void {
    if (wake.what === "finished") {
      if (this.#waitingFor.size === 0) return;
      for (const job of wake.jobs) {
        const schedule = this.#waitingFor.get(job);
        if (schedule === undefined) continue;
        this.#waitingFor.delete(job);
        this.#released.add(schedule);
      }
      if (this.#released.size === 0) return;
    } else if (wake.what === "unknown") this.#othersWrote = true;
    else if (wake.what !== "schedules") return;
    this.#woken = true;
    this.#wakeUp?.();
  }

  async #wait(time: number, deaf: boolean, stopping: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const ended = Promise.withResolvers<void>();
    const onAbort = () => ended.resolve();
    stopping.addEventListener("abort", onAbort, { once: true });
    using _timer = clock.setTimer(time, () => ended.resolve());
    let gap: Timer | undefined;
    this.#wakeUp = () => (gap ??= deaf ? undefined : clock.setTimer(WAKE_GAP, () => ended.resolve()));
    if (this.#woken) this.#wakeUp();
    if (!stopping.aborted) await ended.promise;
    this.#wakeUp = undefined;
    gap?.cancel();
    stopping.removeEventListener("abort", onAbort);
  }

  #backOff(failures: number): number {
    const longest = Math.min(BACK_OFF.longest, BACK_OFF.first * 2 ** (failures - 1));
    return Math.round(longest * (0.5 + this.#parts.random() / 2));
  }

  #firingParts(): FiringParts {
    if (this.#firing === undefined) throw new TypeError("The scheduler has not begun.");
    return this.#firing;
  }
}
