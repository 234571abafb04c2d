/** Several stores as one, behind the contract: each queue lives on one of them. */
import { show } from "../../errors/index.ts";
import type * as C from "../contract.ts";
import {
  checkCalendar,
  checkCampaign,
  checkCount,
  checkInstance,
  checkJobs,
  checkList,
  checkName,
  checkPage,
  checkPause,
  checkText,
  checkTtl,
} from "../shared/check.ts";
import { Listeners } from "../shared/listeners.ts";
import { Opening } from "../shared/opening.ts";
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

export class ShardedStore implements C.Store {
  readonly #settings: Settings;
  readonly #shards: readonly Shard[];
  readonly #listeners = new Listeners();
  readonly #opening = new Opening<Opened>("The store");
  /** Where sliced duties begin; moves on, so that no shard is always the last. */
  #turn = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#shards = settings.shards.map((spec) => new Shard(spec));
  }

  open(context: C.StoreContext): Promise<void> {
    return this.#opening.open(() => Opened.open(this.#shards, this.#settings, this.#listeners, context));
  }
  close(): Promise<void> {
    return this.#opening.close((open) => open.close());
  }
  info(): C.StoreInfo {
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
    return this.#run(({ cluster, leader }) => cluster.now(leader));
  }
  subscribe(listener: (wake: C.Wake) => void): Disposable {
    return this.#listeners.subscribe(listener);
  }

  async enqueue(jobs: readonly C.NewJob[], options: C.EnqueueOptions = {}): Promise<readonly C.JobId[]> {
    checkJobs(jobs);
    return this.#run(({ enqueueing }) => enqueueing.enqueue(jobs, options));
  }

  async register(instance: C.NewInstance, ttl: number): Promise<C.InstanceId> {
    checkInstance(instance, ttl);
    return this.#run(({ membership }) => membership.register(instance, ttl));
  }
  async heartbeat(instance: C.InstanceId, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ membership }) => membership.heartbeat(instance, ttl));
  }
  async deregister(instance: C.InstanceId): Promise<void> {
    await this.#run(({ membership }) => membership.deregister(instance));
  }
  async reconcile(instance: C.InstanceId, held: readonly C.LeaseId[]): Promise<void> {
    await this.#run(({ membership }) => membership.reconcile(instance, held));
  }
  async claim(instance: C.InstanceId, request: C.ClaimRequest) {
    return this.#run(async ({ working }) => (await working.exchange(instance, [], request)).leases);
  }
  async enqueueAndClaim(jobs: readonly C.NewJob[], instance: C.InstanceId, request: C.ClaimRequest) {
    checkJobs(jobs);
    return this.#run(({ working, enqueueing }) => working.enqueueAndClaim(enqueueing, jobs, instance, request));
  }
  async settle(instance: C.InstanceId, settlements: readonly C.Settlement[]) {
    checkSettlements(settlements);
    return this.#run(async ({ working }) => {
      const { leases: _, ...settled } = await working.exchange(instance, settlements, null);
      return settled;
    });
  }
  async settleAndClaim(instance: C.InstanceId, settlements: readonly C.Settlement[], request: C.ClaimRequest) {
    checkSettlements(settlements);
    return this.#run(({ working }) => working.exchange(instance, settlements, request));
  }

  async promote(serving: C.Serving, limit: number): Promise<C.Promoted> {
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
  async rescue(limit: number): Promise<readonly C.RescuedJob[]> {
    return this.#run(async (open) => {
      const rescued: C.RescuedJob[] = [];
      await sliced(open.cluster, this.#turn++, limit, async (store, { name }, left) => {
        const jobs = left > 0 ? await store.rescue(left) : [];
        rescued.push(...jobs.map((job) => ({ ...job, job: joinId(name, job.job) })));
        return jobs.length;
      });
      return rescued;
    });
  }
  async prune(retention: C.Retention, limit: number): Promise<number> {
    return this.#run(({ cluster }) =>
      sliced(cluster, this.#turn++, limit, async (store, _shard, left) =>
        left > 0 ? store.prune(retention, left) : 0,
      ),
    );
  }
  async sweep(age: number, limit: number): Promise<number> {
    checkTtl(age);
    return this.#run(({ cluster }) => sliced(cluster, this.#turn++, limit, async (store) => store.sweep(age, limit)));
  }
  async pauseQueue(queue: string, reason?: string): Promise<void> {
    checkPause(queue, reason);
    await this.#run(({ cluster }) =>
      overAll(cluster, `queue ${show(queue)} is paused`, (store) => store.pauseQueue(queue, reason)),
    );
  }
  async resumeQueue(queue: string): Promise<void> {
    await this.#run(({ cluster }) =>
      overAll(cluster, `queue ${show(queue)} is resumed`, (store) => store.resumeQueue(queue)),
    );
  }
  async cancel(jobs: readonly C.JobId[], reason: string): Promise<readonly C.CancelResult[]> {
    checkText(reason, "reason");
    return this.#run(async ({ cluster }) => {
      const results = new Map<C.JobId, C.CancelResult>();
      await groupById(cluster, jobs, async (store, ids, outside) => {
        const done = await store.cancel(ids, reason);
        for (const [index, result] of done.entries()) results.set(outside[index] ?? "", result);
      });
      return jobs.map((job) => results.get(job) ?? "missing");
    });
  }
  async retry(jobs: readonly C.JobId[]): Promise<readonly C.JobId[]> {
    return this.#run((open) => this.#done(open, jobs, (store, ids) => store.retry(ids)));
  }
  async runNow(jobs: readonly C.JobId[]): Promise<readonly C.JobId[]> {
    return this.#run((open) => this.#done(open, jobs, (store, ids) => store.runNow(ids)));
  }

  async saveSchedules(schedules: readonly C.NewSchedule[], expected?: readonly number[]) {
    checkSchedules(schedules, expected);
    return this.#run((open) => open.schedules.save(schedules, expected));
  }
  async getSchedules(ids: readonly string[]) {
    return this.#run(({ schedules }) => schedules.get(ids));
  }
  async listSchedules(query: C.ScheduleQuery) {
    checkPage(query);
    return this.#run(({ schedules }) => schedules.list(query));
  }
  async scheduleGroups() {
    return this.#run(({ schedules }) => schedules.groups());
  }
  async removeSchedules(ids: readonly string[], expected?: readonly number[]) {
    checkExpected("removeSchedules", ids.length, expected);
    return this.#run(({ schedules }) => schedules.remove(ids, expected));
  }
  async dueSchedules(limit: number) {
    return this.#run(({ schedules }) => schedules.due(limit));
  }
  async fire(fires: readonly C.Fire[], by: string) {
    checkFires(fires);
    return this.#run(({ schedules }) => schedules.fire(fires, by));
  }
  async listOccurrences(schedule: string, page: C.PageRequest) {
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
    checkCalendar(name, definition);
    await this.#run(({ schedules }) => schedules.saveCalendar(name, definition));
  }
  async removeCalendar(name: string) {
    return this.#run(({ schedules }) => schedules.removeCalendar(name));
  }
  async listCalendars() {
    return this.#run(({ schedules }) => schedules.listCalendars());
  }

  async campaign(role: string, holder: string, ttl: number) {
    checkCampaign(role, holder, ttl);
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
    return this.#run(({ cluster, leader }) => cluster.lookAt(leader, (store) => store.leaders()));
  }

  async counts() {
    return this.#run(({ cluster }) => new Inspecting(cluster).counts());
  }
  async throughput(from: number, to: number, step: number) {
    return this.#run(({ cluster }) => new Inspecting(cluster).throughput(from, to, step));
  }
  async getJob(id: C.JobId) {
    return this.#run(({ cluster }) => new Inspecting(cluster).getJob(id));
  }
  async statesOf(ids: readonly C.JobId[]) {
    return this.#run(({ cluster }) => new Inspecting(cluster).statesOf(ids));
  }
  async listJobs(query: C.JobQuery) {
    checkList(query);
    return this.#run(({ cluster }) => new Inspecting(cluster).listJobs(query));
  }
  async countJobs(query: C.CountQuery) {
    checkCount(query);
    return this.#run(({ cluster }) => new Inspecting(cluster).countJobs(query));
  }
  async listInstances() {
    return this.#run(({ membership }) => membership.list());
  }

  async identity() {
    return this.#run(({ leader }) => leader.run((store) => store.identity()));
  }
  async readJobs(page: C.PageRequest & { readonly finished: boolean }) {
    checkPage(page);
    return this.#run(({ cluster }) => new Operating(cluster).readJobs(page));
  }
  async importJobs(source: string, jobs: readonly C.WholeJob[]) {
    checkName(source, "source");
    checkWholeJobs(jobs);
    return this.#run(({ cluster }) => new Operating(cluster).importJobs(source, jobs));
  }
  async findImported(source: string, jobs: readonly C.SourceJob[]) {
    return this.#run(({ cluster }) => new Operating(cluster).findImported(source, jobs));
  }
  async findings() {
    return this.#run(async ({ cluster, leftBehind }) => [...leftBehind, ...(await new Operating(cluster).findings())]);
  }
  async verify() {
    return this.#run(({ cluster }) => new Operating(cluster).verify());
  }

  /** What a shard that was taken out had left has been moved in here. */
  async movedIn(shard: string): Promise<void> {
    await this.#run((open) => open.note(shard, true));
  }

  /** Those of the jobs to which it was done, in the order given. */
  async #done(
    { cluster }: Opened,
    jobs: readonly C.JobId[],
    work: (store: C.Store, ids: readonly C.JobId[]) => Promise<readonly C.JobId[]>,
  ): Promise<readonly C.JobId[]> {
    const done = new Set<C.JobId>();
    await groupById(cluster, jobs, async (store, ids, _outside, shard) => {
      for (const id of await work(store, ids)) done.add(joinId(shard.name, id));
    });
    return jobs.filter((job) => splitId(job) !== null && done.delete(job));
  }

  #run<T>(work: (open: Opened) => Promise<T>): Promise<T> {
    return this.#opening.run(work);
  }
}
