/**
 * Schedules over shards. A schedule lives on the shard of its jobs' queue, so that an occurrence and its job are one
 * commit; where it lives is found by asking, and remembered. Calendars are on all shards.
 */
import { NightshiftError, show } from "../../errors/index.ts";
import type {
  Fire,
  Fired,
  NewSchedule,
  Page,
  PageRequest,
  ScheduleQuery,
  Store,
  StoredGroup,
  StoredOccurrence,
  StoredSchedule,
} from "../contract.ts";
import { groupsOf } from "../shared/scheduling.ts";
import { compareText } from "../shared/text-order.ts";
import { allValuesOf, ask, valuesOf } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import { joinId, splitId } from "./ids.ts";
import { type Copy, isMoved, Moving, merged, movedTo } from "./moving.ts";
import { pagesOf } from "./paging.ts";
import type { Shard } from "./shard.ts";
import { MAP_NAME } from "./shard-map.ts";
import { allOrWhere, groupById, overAll } from "./spreading.ts";

/** How many schedules' places are remembered; they are asked for again after that. */
const REMEMBERED = 200_000;
/** How long a shard may keep what was fired on the others waiting, in milliseconds. */
const PATIENCE = 5_000;
/** Schedules of one page, when all are walked. */
const WALK = 500;

export class Schedules {
  readonly #cluster: Cluster;
  readonly #moving: Moving;
  readonly #places = new Map<string, Shard>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#moving = new Moving(cluster);
  }

  async save(
    schedules: readonly NewSchedule[],
    expected: readonly number[] | undefined,
  ): Promise<readonly (StoredSchedule | null)[]> {
    const ids = schedules.map(({ id }) => id);
    const { copies, complete } = await this.#find(ids);
    const saved: (StoredSchedule | null)[] = schedules.map(() => null);
    const writes = new Map<Shard, number[]>();
    const moves: (readonly [index: number, from: Copy, to: Shard])[] = [];
    for (const [index, schedule] of schedules.entries()) {
      const live = copies.get(schedule.id)?.find(({ stored }) => !isMoved(stored));
      if (live === undefined && !complete) throw this.#unknownPlace(schedule.id);
      // It lives on a shard that this process does not know: others do, and it is not made a second time.
      if (live === undefined && this.#isBeyond(copies.get(schedule.id) ?? [])) continue;
      const home = schedule.queue === undefined ? undefined : this.#cluster.homeOf(schedule.queue);
      const to = home ?? live?.shard ?? this.#cluster.homeOf(`schedule ${schedule.id}`);
      if (live !== undefined && live.shard !== to && !to.isAway) {
        if (expected === undefined || expected[index] === live.stored.revision) moves.push([index, live, to]);
        continue;
      }
      const on = live?.shard ?? to;
      const list = writes.get(on);
      if (list === undefined) writes.set(on, [index]);
      else list.push(index);
    }
    // A schedule that moved away from a shard has left a mark there, whose revision is the one to expect.
    const expectedOn = (shard: Shard, index: number) => {
      const given = expected?.[index];
      const mark = copies.get(ids[index] ?? "")?.find((copy) => copy.shard === shard && isMoved(copy.stored));
      return given === 0 && mark !== undefined ? mark.stored.revision : (given ?? 0);
    };
    const one = { clock: this.#cluster.clock, patience: PATIENCE };
    const answers = await ask(
      [...writes.keys()],
      (store, shard) => {
        const indexes = writes.get(shard) ?? [];
        const list = indexes.map((index) => schedules[index] as NewSchedule);
        return store.saveSchedules(list, expected && indexes.map((index) => expectedOn(shard, index)));
      },
      one,
    );
    const which =
      schedules.length === 1 ? `the schedule ${ids[0]} is saved` : "what lives there of the schedules is saved";
    for (const { shard, value } of allOrWhere(which, answers)) {
      for (const [nth, index] of (writes.get(shard) ?? []).entries())
        saved[index] = this.#known(shard, value[nth] ?? null);
    }
    for (const [index, from, to] of moves) {
      const moved = await this.#moving.move(from, to, schedules[index] as NewSchedule);
      saved[index] = moved && this.#known(to, moved);
    }
    return saved;
  }

  async get(ids: readonly string[]): Promise<readonly StoredSchedule[]> {
    const { copies, complete } = await this.#find(ids);
    const found = ids.flatMap((id) => this.#one(copies.get(id) ?? []) ?? []);
    if (found.length < new Set(ids).size && !complete) {
      const missing = ids.find((id) => !found.some((schedule) => schedule.id === id)) ?? "";
      if (found.length === 0) throw this.#unknownPlace(missing);
    }
    return found;
  }

  #unknownPlace(id: string): NightshiftError {
    const away = this.#cluster.shards.filter(({ isAway }) => isAway).map(({ name }) => name);
    const where = away.length === 0 ? "a shard that did not answer" : `a shard that is away (${away.join(", ")})`;
    const message = `Schedule ${show(id)} may be on ${where}, so it cannot be said whether it exists.`;
    return new NightshiftError("NS_STORE_UNAVAILABLE", message);
  }

  async list(query: ScheduleQuery): Promise<Page<StoredSchedule>> {
    const { cursor: _, ...filters } = query;
    const page = await pagesOf(
      this.#cluster,
      "schedules",
      query,
      (store, part) => store.listSchedules({ ...filters, ...part }),
      (a, b) => compareText(a.id, b.id) < 0,
    );
    const items: StoredSchedule[] = [];
    const cursors: string[] = [];
    for (const [index, { shard, item: stored }] of page.items.entries()) {
      const copy = isMoved(stored) ? await this.#moving.complete({ shard, stored }) : { shard, stored };
      if (copy === null) continue;
      items.push(this.#known(copy.shard, copy.stored));
      cursors.push(page.cursors?.[index] ?? "");
    }
    return query.cursors ? { items, next: page.next, cursors } : { items, next: page.next };
  }

  /** One by one: a shard alone cannot tell a schedule from the mark of one that moved. */
  async groups(): Promise<readonly StoredGroup[]> {
    const all: StoredSchedule[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await this.list({ limit: WALK, ...(cursor === undefined ? {} : { cursor }) });
      all.push(...page.items);
      cursor = page.next;
    }
    return groupsOf(all);
  }

  async remove(ids: readonly string[], expected: readonly number[] | undefined): Promise<readonly string[]> {
    return expected === undefined ? this.#removeAll(ids) : this.#removeExpected(ids, expected);
  }

  /** First what is live, where its revision counts; then what it left elsewhere. */
  async #removeExpected(ids: readonly string[], expected: readonly number[]): Promise<readonly string[]> {
    const { copies } = await this.#find(ids);
    const parts = new Map<Shard, { readonly ids: string[]; readonly expected: number[] }>();
    for (const [index, id] of ids.entries()) {
      const live = copies.get(id)?.find(({ stored }) => !isMoved(stored));
      if (live === undefined) continue;
      let part = parts.get(live.shard);
      if (part === undefined) parts.set(live.shard, (part = { ids: [], expected: [] }));
      part.ids.push(id);
      part.expected.push(expected[index] ?? 0);
    }
    const one = { clock: this.#cluster.clock, patience: PATIENCE };
    const answers = await ask(
      [...parts.keys()],
      async (store, shard) => {
        const part = parts.get(shard);
        return part === undefined ? [] : store.removeSchedules(part.ids, part.expected);
      },
      one,
    );
    const gone = new Set(answers.length === 0 ? [] : allValuesOf(answers).flatMap(({ value }) => value));
    const left = [...gone].filter((id) => (copies.get(id)?.length ?? 0) > 1);
    if (left.length > 0) await this.#removeAll(left);
    for (const id of gone) this.#places.delete(id);
    return ids.filter((id) => gone.delete(id));
  }

  async #removeAll(ids: readonly string[]): Promise<readonly string[]> {
    const { copies } = await this.#find(ids);
    const answers = await this.#cluster.ask((store) => store.removeSchedules(ids));
    const removed = new Set(valuesOf(answers).flatMap(({ value }) => value));
    const gone = ids.filter((id) => removed.has(id) && copies.get(id)?.some(({ stored }) => !isMoved(stored)));
    const away = answers.some(({ ok }) => !ok);
    if (away && gone.length < ids.length) throw this.#unknownPlace(ids.find((id) => !gone.includes(id)) ?? "");
    for (const id of gone) this.#places.delete(id);
    return gone.filter((id, index) => gone.indexOf(id) === index);
  }

  async due(limit: number) {
    const values = valuesOf(await this.#cluster.ask((store) => store.dueSchedules(limit)));
    const due: Copy[] = [];
    for (const { shard, value } of values) {
      for (const stored of value.due) {
        if (isMoved(stored)) await this.#moving.complete({ shard, stored });
        else due.push({ shard, stored: this.#known(shard, stored) });
      }
    }
    due.sort((a, b) => (a.stored.nextAt ?? 0) - (b.stored.nextAt ?? 0) || compareText(a.stored.id, b.stored.id));
    const times = values.flatMap(({ value }) => value.nextAt ?? []);
    return {
      // Each shard goes by its own clock; what is due on one is due.
      now: Math.max(...values.map(({ value }) => value.now)),
      due: await this.#withFormerJobs(due.slice(0, limit)),
      nextAt: times.length === 0 ? null : Math.min(...times),
    };
  }

  async fire(fires: readonly Fire[], by: string): Promise<readonly Fired[]> {
    const unknown = fires.flatMap(({ schedule }) => (this.#places.has(schedule) ? [] : [schedule]));
    if (unknown.length > 0) await this.get(unknown);
    const groups = new Map<Shard, number[]>();
    const fired: Fired[] = fires.map(({ schedule }) => ({ schedule, stale: true }));
    for (const [index, { schedule }] of fires.entries()) {
      const shard = this.#places.get(schedule);
      if (shard === undefined) continue;
      const group = groups.get(shard);
      if (group === undefined) groups.set(shard, [index]);
      else group.push(index);
    }
    if (groups.size === 0) return fired;
    const fireOn = (store: Store, shard: Shard) =>
      store.fire(
        (groups.get(shard) ?? []).map((index) => onShard(fires[index] as Fire, shard)),
        by,
      );
    const answers = await ask([...groups.keys()], fireOn, { clock: this.#cluster.clock, patience: PATIENCE });
    for (const { shard, value } of valuesOf(answers)) {
      for (const [nth, index] of (groups.get(shard) ?? []).entries()) {
        const one = value[nth];
        if (one === undefined) continue;
        if (one.stale) this.#places.delete(one.schedule);
        fired[index] = one.stale ? one : { ...one, jobs: one.jobs.map((job) => job && joinId(shard.name, job)) };
        if (!one.stale) await this.#cancelElsewhere(fires[index] as Fire, shard);
      }
    }
    for (const answer of answers) {
      if (answer.ok) continue;
      const { name } = answer.shard;
      this.#cluster.logger.warn(
        { err: answer.error, shard: name },
        `Schedules on shard ${name} were not fired; tried again.`,
      );
    }
    return fired;
  }

  /** What a schedule made where it lived before: there is no commit in common with its new place. */
  async #cancelElsewhere({ schedule, cancel }: Fire, shard: Shard): Promise<void> {
    const jobs = cancel?.jobs.filter((job) => splitId(job)?.shard !== shard.name) ?? [];
    if (cancel === undefined || jobs.length === 0) return;
    try {
      await groupById(this.#cluster, jobs, async (store, ids) => void (await store.cancel(ids, cancel.reason)));
    } catch (err) {
      const message =
        "jobs on another shard were replaced and could not be cancelled: they run beside what replaced them";
      this.#cluster.logger.warn({ err, schedule, jobs }, message);
    }
  }

  async occurrences(schedule: string, request: PageRequest): Promise<Page<StoredOccurrence>> {
    const page = await pagesOf(
      this.#cluster,
      "occurrences",
      request,
      (store, part) => store.listOccurrences(schedule, part),
      (a, b) => a.at > b.at,
    );
    const items = page.items.map(({ shard, item }) => ({ ...item, job: item.job && joinId(shard.name, item.job) }));
    return { ...page, items };
  }

  async saveCalendar(name: string, definition: string): Promise<void> {
    refuseReserved(name);
    await overAll(this.#cluster, `calendar ${show(name)} is saved`, (store) => store.saveCalendar(name, definition));
  }

  async removeCalendar(name: string): Promise<boolean> {
    refuseReserved(name);
    const removed = await overAll(this.#cluster, `calendar ${show(name)} is removed`, (store) =>
      store.removeCalendar(name),
    );
    return removed.includes(true);
  }

  async listCalendars() {
    const [first] = valuesOf(await this.#cluster.ask((store) => store.listCalendars()));
    return (first?.value ?? []).filter(({ name }) => name !== MAP_NAME);
  }

  /** All copies of schedules, and whether every shard was asked. */
  async #find(ids: readonly string[]) {
    const copies = new Map<string, Copy[]>();
    const answers = await this.#cluster.ask((store) => store.getSchedules(ids));
    for (const { shard, value } of valuesOf(answers)) {
      for (const stored of value) {
        const live = isMoved(stored) ? await this.#moving.complete({ shard, stored }) : null;
        const known = copies.get(stored.id) ?? [];
        copies.set(stored.id, [...known, { shard, stored }, ...(live === null ? [] : [live])]);
      }
    }
    return { copies, complete: answers.every(({ ok }) => ok) };
  }

  #isBeyond(copies: readonly Copy[]): boolean {
    return copies.some(({ stored }) => isMoved(stored) && this.#cluster.byName(movedTo(stored)) === undefined);
  }

  /** What stands now, out of a schedule's copies: what is live, with the last job of where it was before. */
  #one(copies: readonly Copy[]): StoredSchedule | null {
    const live = copies.find(({ stored }) => !isMoved(stored));
    return live === undefined ? null : merged(this.#known(live.shard, live.stored), copies);
  }

  /** A schedule that has not fired where it is may have fired where it was: overlap is judged by that job. */
  async #withFormerJobs(due: readonly Copy[]): Promise<readonly StoredSchedule[]> {
    const unsure = due.flatMap(({ stored }) => (stored.lastJob === null ? [stored.id] : []));
    if (unsure.length === 0) return due.map(({ stored }) => stored);
    const { copies } = await this.#find(unsure);
    return due.map(({ stored }) => merged(stored, copies.get(stored.id) ?? []));
  }

  /** A schedule as it is told outside; remembers where it is. */
  #known<T extends StoredSchedule | null>(shard: Shard, stored: T): T {
    if (stored === null) return stored;
    if (this.#places.size >= REMEMBERED) this.#places.clear();
    this.#places.set(stored.id, shard);
    return { ...stored, lastJob: stored.lastJob && joinId(shard.name, stored.lastJob) };
  }
}

/** A move as its shard understands it: with the ids that the shard gave, and no others. */
function onShard(fire: Fire, shard: Shard): Fire {
  if (fire.cancel === undefined) return fire;
  const jobs = fire.cancel.jobs.flatMap((job) => {
    const parts = splitId(job);
    return parts?.shard === shard.name ? [parts.id] : [];
  });
  return { ...fire, cancel: { ...fire.cancel, jobs } };
}

function refuseReserved(name: string): void {
  if (name !== MAP_NAME) return;
  const message = `calendar: name is ${show(name)}, under which the store keeps its list of shards. Choose another.`;
  throw new NightshiftError("NS_OPTION_INVALID", message);
}
