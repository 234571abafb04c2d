/** Several stores as one, behind the contract: each queue lives on one of them. */
import { NightshiftError, show } from "../../errors/index.ts";
import type {
  CancelResult,
  ClaimRequest,
  CountQuery,
  EnqueueOptions,
  Fire,
  InstanceId,
  JobId,
  JobQuery,
  LeaseId,
  NewInstance,
  NewJob,
  NewSchedule,
  PageRequest,
  Promoted,
  RescuedJob,
  Retention,
  ScheduleQuery,
  Serving,
  Settlement,
  SourceJob,
  Store,
  StoreContext,
  StoreInfo,
  Wake,
  WholeJob,
} from "../contract.ts";
import { checkCount, checkJobs, checkList, checkName, checkPage, checkText, checkTtl } from "../shared/check.ts";
import { Listeners } from "../shared/listeners.ts";
import { checkExpected, checkFires, checkSchedules } from "../shared/scheduling.ts";
import { checkSettlements } from "../shared/settling.ts";
import { checkWholeJobs } from "../shared/transfer.ts";
import { joinId, splitId } from "./ids.ts";
import { Inspecting } from "./inspecting.ts";
import { Opened } from "./opened.ts";
import { Operating } from "./operating.ts";
import type { Settings } from "./options.ts";
import { Shard } from "./shard.ts";
import { groupById, overAll, sliced } from "./spreading.ts";

const DURABILITIES = ["none", "process", "power-loss"] as const;

export class ShardedStore implements Store {
  readonly #settings: Settings;
  readonly #shards: readonly Shard[];
  readonly #listeners = new Listeners();
  #opening: Promise<Opened> | null = null;
  #open: Opened | null = null;
  #openings = 0;
  #underWay = 0;
  #idle: (() => void) | null = null;
  /** Where sliced duties begin; moves on, so that no shard is always the last. */
  #turn = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#shards = settings.shards.map((spec) => new Shard(spec));
  }

  async open(context: StoreContext): Promise<void> {
    this.#openings++;
    this.#opening ??= Opened.open(this.#shards, this.#settings, this.#listeners, context);
    try {
      this.#open = await this.#opening;
    } catch (error) {
      if (--this.#openings === 0) this.#opening = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#openings === 0 || --this.#openings > 0) return;
    const open = this.#open;
    this.#open = null;
    this.#opening = null;
    if (open === null) return;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await open.close();
  }

  info(): StoreInfo {
    const infos = this.#shards.map(({ store }) => store.info());
    const shards = this.#shards.map((shard) => shard.info());
    const weakest = Math.min(...infos.map(({ durability }) => DURABILITIES.indexOf(durability)));
    return {
      kind: infos[0]?.kind ?? "",
      location: shards.map(({ name, location, away }) => `${name}: ${location}${away ? " (away)" : ""}`).join(", "),
      engine: [...new Set(infos.map(({ engine }) => engine).filter((engine) => engine !== ""))].join(", "),
      durability: DURABILITIES[weakest] ?? "none",
      shards,
    };
  }
  now(): Promise<number> {
    return this.#run(async ({ cluster, leader }) => {
      const shard = [leader, ...cluster.shards].find(({ isAway }) => !isAway) ?? leader;
      return shard.run((store) => store.now());
    });
  }
  subscribe(listener: (wake: Wake) => void): Disposable {
    return this.#listeners.subscribe(listener);
  }

  async enqueue(jobs: readonly NewJob[], options: EnqueueOptions = {}): Promise<readonly JobId[]> {
    checkJobs(jobs);
    return this.#run(({ enqueueing }) => enqueueing.enqueue(jobs, options));
  }

  async register(instance: NewInstance, ttl: number): Promise<InstanceId> {
    checkTtl(ttl);
    checkName(instance.name, "instance: name");
    return this.#run(({ membership }) => membership.register(instance, ttl));
  }
  async heartbeat(instance: InstanceId, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ membership }) => membership.heartbeat(instance, ttl));
  }
  async deregister(instance: InstanceId): Promise<void> {
    await this.#run(({ membership }) => membership.deregister(instance));
  }
  async reconcile(instance: InstanceId, held: readonly LeaseId[]): Promise<void> {
    await this.#run(({ membership }) => membership.reconcile(instance, held));
  }
  async claim(instance: InstanceId, request: ClaimRequest) {
    return this.#run(async ({ working }) => (await working.exchange(instance, [], request)).leases);
  }
  async enqueueAndClaim(jobs: readonly NewJob[], instance: InstanceId, request: ClaimRequest) {
    checkJobs(jobs);
    return this.#run(({ working, enqueueing }) => working.enqueueAndClaim(enqueueing, jobs, instance, request));
  }
  async settle(instance: InstanceId, settlements: readonly Settlement[]) {
    checkSettlements(settlements);
    return this.#run(async ({ working }) => {
      const { leases: _, ...settled } = await working.exchange(instance, settlements, null);
      return settled;
    });
  }
  async settleAndClaim(instance: InstanceId, settlements: readonly Settlement[], request: ClaimRequest) {
    checkSettlements(settlements);
    return this.#run(({ working }) => working.exchange(instance, settlements, request));
  }

  async promote(serving: Serving, limit: number): Promise<Promoted> {
    return this.#run(async (open) => {
      const times: number[] = [];
      const moved = await sliced(open.cluster, this.#turn++, limit, async (store, _shard, left) => {
        // Those beyond the limit are not asked: some of theirs may be due.
        if (left <= 0) {
          times.push(0);
          return 0;
        }
        const promoted = await store.promote(serving, left);
        if (promoted.nextAt !== null) times.push(promoted.nextAt);
        return promoted.moved;
      });
      return { moved, nextAt: times.length === 0 ? null : Math.min(...times) };
    });
  }
  async rescue(limit: number): Promise<readonly RescuedJob[]> {
    return this.#run(async (open) => {
      const rescued: RescuedJob[] = [];
      await sliced(open.cluster, this.#turn++, limit, async (store, { name }, left) => {
        const jobs = left > 0 ? await store.rescue(left) : [];
        rescued.push(...jobs.map((job) => ({ ...job, job: joinId(name, job.job) })));
        return jobs.length;
      });
      return rescued;
    });
  }
  async prune(retention: Retention, limit: number): Promise<number> {
    return this.#run(({ cluster }) =>
      sliced(cluster, this.#turn++, limit, async (store, _shard, left) =>
        left > 0 ? store.prune(retention, left) : 0,
      ),
    );
  }
  async sweep(age: number, limit: number): Promise<number> {
    return this.#run(({ cluster }) => sliced(cluster, this.#turn++, limit, async (store) => store.sweep(age, limit)));
  }
  async pauseQueue(queue: string, reason?: string): Promise<void> {
    checkName(queue, "queue");
    if (reason !== undefined) checkText(reason, "reason");
    await this.#run(({ cluster }) =>
      overAll(cluster, `Queue ${show(queue)} is paused`, (store) => store.pauseQueue(queue, reason)),
    );
  }
  async resumeQueue(queue: string): Promise<void> {
    await this.#run(({ cluster }) =>
      overAll(cluster, `Queue ${show(queue)} is resumed`, (store) => store.resumeQueue(queue)),
    );
  }
  async cancel(jobs: readonly JobId[], reason: string): Promise<readonly CancelResult[]> {
    checkText(reason, "reason");
    return this.#run(async ({ cluster }) => {
      const results = new Map<JobId, CancelResult>();
      await groupById(cluster, jobs, async (store, ids, outside) => {
        const done = await store.cancel(ids, reason);
        for (const [index, result] of done.entries()) results.set(outside[index] ?? "", result);
      });
      return jobs.map((job) => results.get(job) ?? "missing");
    });
  }
  async retry(jobs: readonly JobId[]): Promise<readonly JobId[]> {
    return this.#run((open) => this.#done(open, jobs, (store, ids) => store.retry(ids)));
  }
  async runNow(jobs: readonly JobId[]): Promise<readonly JobId[]> {
    return this.#run((open) => this.#done(open, jobs, (store, ids) => store.runNow(ids)));
  }

  async saveSchedules(schedules: readonly NewSchedule[], expected?: readonly number[]) {
    checkSchedules(schedules, expected);
    return this.#run((open) => open.schedules.save(schedules, expected));
  }
  async getSchedules(ids: readonly string[]) {
    return this.#run(({ schedules }) => schedules.get(ids));
  }
  async listSchedules(query: ScheduleQuery) {
    checkPage(query);
    return this.#run(({ schedules }) => schedules.list(query));
  }
  async removeSchedules(ids: readonly string[], expected?: readonly number[]) {
    checkExpected("removeSchedules", ids.length, expected);
    return this.#run(({ schedules }) => schedules.remove(ids, expected));
  }
  async dueSchedules(limit: number) {
    return this.#run(({ schedules }) => schedules.due(limit));
  }
  async fire(fires: readonly Fire[], by: string) {
    checkFires(fires);
    return this.#run(({ schedules }) => schedules.fire(fires, by));
  }
  async listOccurrences(schedule: string, page: PageRequest) {
    checkPage(page);
    return this.#run(({ schedules }) => schedules.occurrences(schedule, page));
  }
  async pruneOccurrences(before: number, limit: number): Promise<number> {
    return this.#run(({ cluster }) =>
      sliced(cluster, this.#turn++, limit, async (store, _shard, left) =>
        left > 0 ? store.pruneOccurrences(before, left) : 0,
      ),
    );
  }
  async saveCalendar(name: string, definition: string): Promise<void> {
    checkName(name, "calendar: name");
    checkText(definition, "calendar: definition");
    await this.#run(({ schedules }) => schedules.saveCalendar(name, definition));
  }
  async removeCalendar(name: string) {
    return this.#run(({ schedules }) => schedules.removeCalendar(name));
  }
  async listCalendars() {
    return this.#run(({ schedules }) => schedules.listCalendars());
  }

  async campaign(role: string, holder: string, ttl: number) {
    checkTtl(ttl);
    checkName(role, "role");
    checkName(holder, "holder");
    return this.#run(({ leader }) => leader.run((store) => store.campaign(role, holder, ttl)));
  }
  async renew(role: string, token: string, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ leader }) => leader.run((store) => store.renew(role, token, ttl)));
  }
  async resign(role: string, token: string): Promise<void> {
    await this.#run(({ leader }) => leader.run((store) => store.resign(role, token)));
  }
  async leaders() {
    return this.#run(({ leader }) => leader.run((store) => store.leaders()));
  }

  async counts() {
    return this.#run(({ cluster }) => new Inspecting(cluster).counts());
  }
  async throughput(from: number, to: number, step: number) {
    return this.#run(({ cluster }) => new Inspecting(cluster).throughput(from, to, step));
  }
  async getJob(id: JobId) {
    return this.#run(({ cluster }) => new Inspecting(cluster).getJob(id));
  }
  async statesOf(ids: readonly JobId[]) {
    return this.#run(({ cluster }) => new Inspecting(cluster).statesOf(ids));
  }
  async listJobs(query: JobQuery) {
    checkList(query);
    return this.#run(({ cluster }) => new Inspecting(cluster).listJobs(query));
  }
  async countJobs(query: CountQuery) {
    checkCount(query);
    return this.#run(({ cluster }) => new Inspecting(cluster).countJobs(query));
  }
  async listInstances() {
    return this.#run(({ membership }) => membership.list());
  }

  async identity() {
    return this.#run(({ leader }) => leader.run((store) => store.identity()));
  }
  async readJobs(page: PageRequest & { readonly finished: boolean }) {
    checkPage(page);
    return this.#run(({ cluster }) => new Operating(cluster).readJobs(page));
  }
  async importJobs(source: string, jobs: readonly WholeJob[]) {
    checkName(source, "source");
    checkWholeJobs(jobs);
    return this.#run(({ cluster }) => new Operating(cluster).importJobs(source, jobs));
  }
  async findImported(source: string, jobs: readonly SourceJob[]) {
    return this.#run(({ cluster }) => new Operating(cluster).findImported(source, jobs));
  }
  async findings() {
    return this.#run(({ cluster }) => new Operating(cluster).findings());
  }
  async verify() {
    return this.#run(({ cluster }) => new Operating(cluster).verify());
  }

  /** Those of the jobs to which it was done, in the order given. */
  async #done(
    { cluster }: Opened,
    jobs: readonly JobId[],
    work: (store: Store, ids: readonly JobId[]) => Promise<readonly JobId[]>,
  ): Promise<readonly JobId[]> {
    const done = new Set<JobId>();
    await groupById(cluster, jobs, async (store, ids, _outside, shard) => {
      for (const id of await work(store, ids)) done.add(joinId(shard.name, id));
    });
    return jobs.filter((job) => splitId(job) !== null && done.delete(job));
  }

  /** Counts what is under way, so that closing waits for it. */
  async #run<T>(work: (open: Opened) => Promise<T>): Promise<T> {
    const open = this.#open;
    if (open === null) throw new NightshiftError("NS_STORE_CLOSED", "The store is not open. Call open() first.");
    this.#underWay++;
    try {
      return await work(open);
    } finally {
      if (--this.#underWay === 0) this.#idle?.();
    }
  }
}
