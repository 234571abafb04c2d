/** A store of several while it is open: opens the shards, agrees with them on their list, and keeps watch. */
import { messageOf } from "../../errors/index.ts";
import { formatDuration, type Timer } from "../../time/index.ts";
import type { Finding, StoreContext, Wake } from "../contract.ts";
import type { Listeners } from "../shared/listeners.ts";
import { Cluster } from "./cluster.ts";
import { Enqueueing } from "./enqueueing.ts";
import { joinId } from "./ids.ts";
import { leftBehind, leftBehindFinding, withLook } from "./left-behind.ts";
import { Membership } from "./membership.ts";
import { Moving } from "./moving.ts";
import { routingOf, type Settings } from "./options.ts";
import { Schedules } from "./schedules.ts";
import { isPassing, type Shard } from "./shard.ts";
import { compareMaps, type GivenMap, type KeptMap, readMap, type ShardMap, textOf, writeMap } from "./shard-map.ts";
import { claimable, isEmpty } from "./strays.ts";
import { Working } from "./working.ts";

/** How often a shard that is away is asked whether it is back, in milliseconds. */
const PROBE_EVERY = 1_000;
/** How often is looked for jobs that are not at home, and for another list of shards. */
const LOOK_EVERY = 30_000;
/** Another process wrote something, it is not said what: a look at most this often. */
const LOOK_AT_MOST_EVERY = 5_000;

export class Opened {
  readonly cluster: Cluster;
  readonly membership: Membership;
  readonly working: Working;
  readonly schedules: Schedules;
  readonly enqueueing: Enqueueing;
  readonly #given: GivenMap;
  readonly #moving: Moving;
  readonly #subscriptions: Disposable[] = [];
  #map: ShardMap;
  #probing: Timer | undefined;
  #looking: Timer | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #look: Promise<void> = Promise.resolve();
  #warnedOf = 0;
  /** Shards of which the log says that they are away. */
  readonly #told = new Set<Shard>();
  #closed = false;

  private constructor(cluster: Cluster, given: GivenMap) {
    this.cluster = cluster;
    this.#given = given;
    this.#map = { version: 0, leader: given.leader ?? "", shards: given.shards, queues: given.queues };
    this.membership = new Membership(cluster);
    this.working = new Working(cluster, this.membership);
    this.schedules = new Schedules(cluster);
    this.enqueueing = new Enqueueing(cluster);
    this.#moving = new Moving(cluster);
  }

  /** @throws NS_STORE_SHARDS, and what the shards' stores say; NS_STORE_UNAVAILABLE only when no shard can be reached */
  static async open(
    shards: readonly Shard[],
    settings: Settings,
    listeners: Listeners,
    context: StoreContext,
  ): Promise<Opened> {
    const cluster = new Cluster(shards, routingOf(settings), listeners, context);
    const given: GivenMap = {
      shards: settings.shards.map(({ name, draining = false }) => ({ name, draining })),
      queues: Object.fromEntries(settings.queues),
      leader: settings.leader,
    };
    const opened = new Opened(cluster, given);
    try {
      const results = await Promise.allSettled(shards.map((shard) => shard.open(context, opened)));
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (!cluster.anyThere) throw shards[0]?.awayError();
      await opened.#agree(shards.filter(({ isAway }) => !isAway));
    } catch (error) {
      await opened.close();
      throw error;
    }
    for (const { message, details } of opened.leftBehind) context.logger.warn(details, message);
    for (const shard of shards) {
      opened.#subscriptions.push(shard.store.subscribe((wake) => opened.#hear(shard, wake)));
    }
    await opened.#lookNow();
    return opened;
  }

  /** The shard that keeps who leads. */
  get leader(): Shard {
    const leader = this.cluster.byName(this.#map.leader) ?? this.cluster.shards[0];
    if (leader === undefined) throw new Error("A store of several has at least one shard.");
    return leader;
  }

  /** Shards that were taken out though nobody had seen them empty. */
  get leftBehind(): readonly Finding[] {
    return leftBehind(this.#map).map(leftBehindFinding);
  }

  /** Notes of a shard that is draining, or was taken out, whether it has anything left to do. */
  async note(shard: string, isEmpty: boolean): Promise<void> {
    const map = withLook(this.#map, shard, isEmpty);
    if (map === null) return;
    this.#map = map;
    await this.cluster.ask((store, { name }) => writeMap(store, name, map));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#probing?.cancel();
    this.#looking?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.membership.close();
    await this.#look;
    await Promise.all(this.cluster.shards.map((shard) => shard.close()));
  }

  admit(shard: Shard): Promise<void> {
    return this.#agree([shard]);
  }

  away(shard: Shard, error: unknown): void {
    // One connection that was cut is no outage: it is told of once the shard does not answer either.
    const tell = () => {
      if (this.#closed || !shard.isAway || this.#told.has(shard)) return;
      this.#told.add(shard);
      const message = `Shard ${shard.name} is away, and its queues wait; those of the other shards go on. ${messageOf(error)}`;
      this.cluster.logger.error({ err: error, shard: shard.name }, message);
    };
    void shard.probe().then(tell);
    this.cluster.clock.setTimer(PROBE_EVERY, tell, { ref: false });
    this.#probeSoon();
  }

  back(shard: Shard, awayFor: number): void {
    if (this.#closed) return;
    if (this.#told.delete(shard)) {
      const message = `Shard ${shard.name} is back after ${formatDuration(Math.round(awayFor))}.`;
      this.cluster.logger.info({ shard: shard.name }, message);
    }
    void this.#lookNow();
    this.cluster.tell({ what: "cancellation" }, { what: "unknown" });
  }

  /** Compares the list of shards with what these keep, and writes it where it is not known. */
  async #agree(shards: readonly Shard[]): Promise<void> {
    const kept = new Map<string, KeptMap | null>();
    for (const shard of shards) kept.set(shard.name, await readMap(shard.store));
    const { map, write, added, changed } = compareMaps(this.#given, kept, this.#map);
    this.#map = map;
    if (added.length > 0) await this.#prepare(added, shards);
    for (const { name, store } of shards) if (write.includes(name)) await writeMap(store, name, map);
    if (!changed || map.version === 1) return;
    const message = "The list of shards has changed. Jobs of queues that moved are worked off where they are.";
    this.cluster.logger.info({ version: map.version, added, leader: map.leader }, message);
  }

  /** A new shard learns what people said to the others: calendars, and pauses of queues. */
  async #prepare(added: readonly string[], shards: readonly Shard[]): Promise<void> {
    const old = shards.filter(({ name }) => !added.includes(name));
    const pauses = new Map<string, string | null>();
    for (const shard of old) {
      for (const { queue, paused } of (await shard.store.counts()).queues) {
        if (paused !== null) pauses.set(queue, paused.reason);
      }
    }
    const calendars = await this.schedules.listCalendars();
    for (const { name, store } of shards) {
      if (!added.includes(name)) continue;
      for (const [queue, reason] of pauses) await store.pauseQueue(queue, reason ?? undefined);
      for (const calendar of calendars) await store.saveCalendar(calendar.name, calendar.definition);
    }
  }

  #hear(shard: Shard, wake: Wake): void {
    if (wake.what === "work") this.cluster.strays.found(shard.name, wake.queues);
    else if (wake.what === "unknown") this.#lookSoon(LOOK_AT_MOST_EVERY);
    const told: Wake =
      wake.what === "finished" ? { ...wake, jobs: wake.jobs.map((id) => joinId(shard.name, id)) } : wake;
    this.cluster.tell(told);
  }

  #probeSoon(): void {
    if (this.#closed || this.#probing !== undefined) return;
    this.#probing = this.cluster.clock.setTimer(PROBE_EVERY, () => void this.#probe(), { ref: false });
  }

  async #probe(): Promise<void> {
    await Promise.all(this.cluster.shards.map((shard) => shard.probe()));
    this.#probing = undefined;
    if (this.cluster.shards.some(({ isAway }) => isAway)) this.#probeSoon();
  }

  /** A look after so long, unless one is to come sooner. */
  #lookSoon(wait: number): void {
    if (this.#closed) return;
    const { clock } = this.cluster;
    const at = Math.max(clock.monotonic(), this.#lookedAt + wait);
    if (this.#looking !== undefined && this.#lookAt <= at) return;
    this.#looking?.cancel();
    this.#lookAt = at;
    this.#looking = clock.setTimer(at - clock.monotonic(), () => void this.#lookNow(), { ref: false });
  }
  #lookAt = Number.POSITIVE_INFINITY;

  #lookNow(): Promise<void> {
    this.#looking?.cancel();
    this.#looking = undefined;
    this.#lookedAt = this.cluster.clock.monotonic();
    this.#look = this.#lookAround().catch((err: unknown) => {
      if (!this.#closed) this.cluster.logger.debug({ err }, "could not look over the shards");
    });
    return this.#look.then(() => this.#lookSoon(LOOK_EVERY));
  }

  /** Looks for jobs that are not at home, another list of shards, and schedules on shards that are to be emptied. */
  async #lookAround(): Promise<void> {
    const seen = new Map<string, boolean>();
    for (const shard of this.cluster.shards) {
      if (shard.isAway || this.#closed) continue;
      try {
        const counts = await shard.run((store) => store.counts());
        const queues = claimable(counts);
        if (this.cluster.strays.found(shard.name, queues)) this.cluster.tell({ what: "work", queues });
        await this.#compare(shard);
        if (!shard.draining) continue;
        await this.#moving.evacuate(shard);
        seen.set(shard.name, isEmpty(counts));
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
    }
    // Not over a newer list than ours, which may be known on some shards only: after all of them were asked.
    if (this.#warnedOf > this.#map.version) return;
    for (const [name, empty] of seen) await this.note(name, empty);
  }

  async #compare(shard: Shard): Promise<void> {
    const kept = await shard.run(readMap);
    if (kept === null || kept.map.version <= Math.max(this.#map.version, this.#warnedOf)) return;
    if (textOf(kept.map) === textOf(this.#map)) {
      this.#map = kept.map;
      return;
    }
    this.#warnedOf = kept.map.version;
    const names = kept.map.shards.map(({ name }) => name);
    const advice = "Its jobs are found by processes with the new list; restart this one with it soon.";
    this.cluster.logger.warn({ shards: names }, `Another process has another list of shards than this one. ${advice}`);
  }
}
