/** One turn with the store: settle and claim in one commit, with patience when it does not answer. */
import { NightshiftError } from "../../errors/index.ts";
import type { InstanceId, Lease, LeaseId, Outcome, Settled, Settlement, Store, Want } from "../../store/contract.ts";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Clock } from "../../time/index.ts";
import { Bell } from "../bell.ts";
import { failureText } from "../failure.ts";
import type { Outages } from "../outages.ts";
import type { JobRegistry } from "../registry.ts";
import { storeBackoff } from "../retry.ts";

/** What the store answered. */
export interface Answer {
  readonly refused: readonly LeaseId[];
  /** Their database is away while others are not: to be settled again later. */
  readonly unsettled?: readonly LeaseId[];
  readonly leases: readonly Lease[];
}

interface ExchangeParts {
  readonly store: Store;
  readonly registry: JobRegistry;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly random: () => number;
  readonly outages: Outages;
}

const NOTHING: readonly never[] = [];
/** What a store says of what it was given, rather than of itself: it would say the same for ever. */
const REFUSALS: readonly string[] = ["NS_OPTION_INVALID", "NS_JOB_TOO_LARGE"];

/**
 * How long after it was reconciled an instance is so once more. A claim without an answer may still be on its way, in a
 * proxy or a socket, and reach the store after the first time.
 */
const SECOND_LOOK = 60_000;

export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #held: () => Promise<readonly LeaseId[]>;
  readonly #pause: Bell;
  /** The instance for which a claim failed without an answer: the store may hold leases for it that we do not know. */
  #unsure: InstanceId | undefined;
  #secondLook: { readonly instance: InstanceId; readonly at: number } | undefined;
  #failures = 0;
  #givenUp = false;

  /** @param held the leases that are known here, once no other claim is under way */
  constructor(parts: ExchangeParts, held: () => Promise<readonly LeaseId[]>) {
    this.#parts = parts;
    this.#held = held;
    this.#pause = new Bell(parts.clock);
  }

  /** Nobody waits for the store any more. */
  get givenUp(): boolean {
    return this.#givenUp;
  }

  /** Whether the store may hold leases of this instance that are not known here. */
  isUnsureOf(instance: InstanceId): boolean {
    if (this.#unsure === instance) return true;
    const second = this.#secondLook;
    return second?.instance === instance && this.#parts.clock.monotonic() >= second.at;
  }

  /** A claim of this instance got no answer. */
  doubt(instance: InstanceId): void {
    this.#unsure = instance;
  }

  /** Ends the pause after a failure; for a stop whose time is over. */
  giveUp(): void {
    this.#givenUp = true;
    this.#pause.ring();
  }

  /** The store's answer, or undefined when it gave none; a pause is over then, and the same may be tried again. */
  async with(
    instance: InstanceId,
    settlements: readonly Settlement[],
    wants: readonly Want[],
  ): Promise<Answer | undefined> {
    const { store, registry } = this.#parts;
    const request = { wants, names: registry.names };
    try {
      if (this.isUnsureOf(instance) && wants.length > 0) {
        // The leases of this batch are still among those that are known: they go with the settling below.
        await store.reconcile(instance, await this.#held());
        const { clock } = this.#parts;
        this.#secondLook = this.#unsure === instance ? { instance, at: clock.monotonic() + SECOND_LOOK } : undefined;
        this.#unsure = undefined;
      }
      let answer: Answer;
      if (wants.length === 0) answer = { ...(await this.#settle(instance, settlements)), leases: NOTHING };
      else if (settlements.length === 0) answer = { refused: NOTHING, leases: await store.claim(instance, request) };
      else {
        answer = await store.settleAndClaim(instance, settlements, request).catch(async (error: unknown) => ({
          ...(await this.#settleApart(instance, settlements, error)),
          leases: await store.claim(instance, request),
        }));
      }
      if (this.#failures > 0) this.#parts.outages.succeeded("worker");
      this.#failures = 0;
      return answer;
    } catch (error) {
      if (wants.length > 0) this.#unsure = instance;
      await this.#failed(error);
      return undefined;
    }
  }

  async #settle(instance: InstanceId, settlements: readonly Settlement[]): Promise<Settled> {
    const { store } = this.#parts;
    return store.settle(instance, settlements).catch((error) => this.#settleApart(instance, settlements, error));
  }

  /** One outcome that no store can keep must not hold up all others for ever: each on its own, and that one as dead. */
  async #settleApart(instance: InstanceId, settlements: readonly Settlement[], error: unknown): Promise<Settled> {
    if (!isRefusal(error)) throw error;
    const refused = new Set<LeaseId>();
    const unsettled = new Set<LeaseId>();
    for (const { lease, outcomes } of settlements) {
      for (const outcome of outcomes) {
        const settled = await this.#settleOne(instance, lease, outcome);
        for (const each of settled.refused) refused.add(each);
        for (const each of settled.unsettled ?? []) unsettled.add(each);
      }
    }
    return { refused: [...refused], unsettled: [...unsettled] };
  }

  async #settleOne(instance: InstanceId, lease: LeaseId, outcome: Outcome): Promise<Settled> {
    const { store, logger } = this.#parts;
    try {
      return await store.settle(instance, [{ lease, outcomes: [outcome] }]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { job } = outcome;
      logger.error({ err: error, job }, `The store cannot keep the outcome of job ${job}, which is dead for it.`);
      return store.settle(instance, [{ lease, outcomes: [{ job, type: "dead", ms: 0, error: failureText(error) }] }]);
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof NightshiftError && error.code === "NS_STORE_CLOSED") throw error;
    const { outages, random } = this.#parts;
    this.#failures++;
    const wait = storeBackoff(this.#failures, random());
    outages.failed("worker", error, wait);
    if (this.#givenUp) return;
    await this.#pause.wait(wait);
    this.#pause.still();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof NightshiftError && REFUSALS.includes(error.code);
}
