/** Restarts: who is stopped and started again when a service ended, and when a group has had enough of it. */
import { NightshiftError } from "../errors/index.ts";
import { type Clock, formatDuration, sleep } from "../time/index.ts";
import type { DecidedGroup } from "./service-group.ts";
import type { ServiceUnit } from "./unit.ts";

/** What restarts are decided by. */
export interface RestartParts {
  readonly clock: Clock;
  readonly groups: ReadonlyMap<string, DecidedGroup>;
  /** Every service, in the order of the start. */
  readonly order: () => readonly ServiceUnit[];
  /** A group stays down from now on. */
  readonly onGroupEnded: () => void;
}

/** What becomes of a service that asked to be restarted. */
export type Verdict =
  | { readonly kind: "planned"; readonly until: number }
  /** Its group was restarted too often already. */
  | { readonly kind: "refused"; readonly group: DecidedGroup };

/**
 * One restart of one or several services: they are stopped in reverse order, the back-off passes, they are started in
 * order. Who fails meanwhile joins; who fails while the others are being started begins another round, with those left.
 */
interface Round {
  readonly affected: Set<ServiceUnit>;
  /** Looked at already: stopped, or not up. */
  readonly seen: Set<ServiceUnit>;
  /** Stopped, and to be started again. */
  readonly paused: Set<ServiceUnit>;
  readonly until: number;
  readonly error: unknown;
  phase: "stopping" | "starting" | "over";
}

/** The restarts of a host's services. */
export class Restarts {
  readonly #parts: RestartParts;
  /** Aborted at the stop and at the disposal: no restart begins or goes on after that. */
  readonly #ended = new AbortController();
  /** By group where members are restarted together, else by service. */
  readonly #rounds = new Map<DecidedGroup | ServiceUnit, Round>();
  /** The times of each group's restarts on the monotonic clock. */
  readonly #times = new Map<DecidedGroup, readonly number[]>();

  constructor(parts: RestartParts) {
    this.#parts = parts;
  }

  /** Ends all rounds. A start under way is told to give up, a stop under way goes on. */
  end(): void {
    this.#ended.abort(new NightshiftError("NS_ABORTED", "The host is being stopped."));
  }

  /** Restarts a service after `delay`, together with those whom its group's strategy names. */
  schedule(failed: ServiceUnit, delay: number, error: unknown): Verdict {
    const { clock } = this.#parts;
    const group = this.#groupOf(failed);
    const key = group === undefined || group.strategy === "one-for-one" ? failed : group;
    const affected = this.#affectedBy(failed, group);
    const before = this.#rounds.get(key);
    if (before?.phase === "stopping") {
      // Several members that fail of one cause are one restart.
      for (const unit of affected) before.affected.add(unit);
      return { kind: "planned", until: before.until };
    }
    const left = before === undefined ? [] : [...before.paused];
    if (before !== undefined) before.phase = "over";
    if (group !== undefined && !this.#count(group)) {
      if (group.escalate === "give-up") void this.#giveUp(group, failed);
      return { kind: "refused", group };
    }
    const round: Round = {
      affected: new Set([...affected, ...left]),
      seen: new Set(),
      paused: new Set(),
      until: clock.now() + delay,
      error,
      phase: "stopping",
    };
    this.#rounds.set(key, round);
    void this.#run(key, round, delay);
    return { kind: "planned", until: round.until };
  }

  async #run(key: DecidedGroup | ServiceUnit, round: Round, delay: number): Promise<void> {
    const { signal } = this.#ended;
    const waited = sleep(this.#parts.clock, delay, signal).then(
      () => true,
      () => false,
    );
    // A turn later: who failed tells of it before the others are stopped.
    await Promise.resolve();
    await this.#pauseAll(round);
    if (!(await waited)) return;
    await this.#pauseAll(round);
    if (round.phase === "over") return;
    round.phase = "starting";
    for (const unit of this.#parts.order()) {
      if (!round.paused.has(unit)) continue;
      round.paused.delete(unit);
      await unit.restart(signal);
      if (signal.aborted || (round.phase as Round["phase"]) === "over") return;
    }
    if (this.#rounds.get(key) === round) this.#rounds.delete(key);
  }

  /** Stops in reverse order, also those who join meanwhile. */
  async #pauseAll(round: Round): Promise<void> {
    const next = () => this.#parts.order().findLast((unit) => round.affected.has(unit) && !round.seen.has(unit));
    for (let unit = next(); unit !== undefined && round.phase !== "over"; unit = next()) {
      round.seen.add(unit);
      if (await unit.pause(round.until, round.error)) round.paused.add(unit);
    }
  }

  /** Whether the group bears one more restart; it is counted then. */
  #count(group: DecidedGroup): boolean {
    const now = this.#parts.clock.monotonic();
    const recent = (this.#times.get(group) ?? []).filter((at) => now - at < group.within);
    if (recent.length >= group.maxRestarts) return false;
    this.#times.set(group, group.maxRestarts === Number.POSITIVE_INFINITY ? [] : [...recent, now]);
    return true;
  }

  /** The other members of a group that has had enough are stopped too, and stay so. */
  async #giveUp(group: DecidedGroup, failed: ServiceUnit): Promise<void> {
    const members = this.#parts.order().filter((unit) => unit.spec.group === group.name && unit !== failed);
    for (const member of members) {
      const round = this.#rounds.get(member);
      if (round !== undefined) round.phase = "over";
    }
    const what = `The group ${group.name} stays down: ${tooOften(group)}, the last time because of ${failed.name}.`;
    const error = new NightshiftError("NS_SERVICE_FAILED", what, {
      details: { group: group.name, service: failed.name },
    });
    await Promise.resolve();
    for (const member of members.toReversed()) {
      if (await member.pause(this.#parts.clock.now(), error)) member.giveUp(error);
    }
    this.#parts.onGroupEnded();
  }

  #groupOf(unit: ServiceUnit): DecidedGroup | undefined {
    return unit.spec.group === undefined ? undefined : this.#parts.groups.get(unit.spec.group);
  }

  #affectedBy(failed: ServiceUnit, group: DecidedGroup | undefined): readonly ServiceUnit[] {
    if (group === undefined || group.strategy === "one-for-one") return [failed];
    const members = this.#parts.order().filter((unit) => unit.spec.group === group.name);
    return group.strategy === "one-for-all" ? members : members.slice(members.indexOf(failed));
  }
}

/** "it was restarted 5 times within 1m". */
export function tooOften(group: DecidedGroup): string {
  const times = group.maxRestarts === 1 ? "once" : `${group.maxRestarts} times`;
  return `it was restarted ${times} within ${formatDuration(group.within)}`;
}
