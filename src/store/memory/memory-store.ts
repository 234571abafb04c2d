/** The memory store behind the contract: checks what it is given, runs one operation at once, tells who listens. */
import { NightshiftError, Problems, show } from "../../errors/index.ts";
import { optionsOf } from "../../errors/option-checks.ts";
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
import { notClaimed } from "../shared/direct.ts";
import { Listeners } from "../shared/listeners.ts";
import { checkExpected, checkFires, checkSchedules } from "../shared/scheduling.ts";
import { checkSettlements, mergeWants } from "../shared/settling.ts";
import { checkWholeJobs } from "../shared/transfer.ts";
import * as inspection from "./inspection.ts";
import * as schedules from "./schedules.ts";
import { MemoryState } from "./state.ts";
import * as transfer from "./transfer.ts";
import * as upkeep from "./upkeep.ts";
import * as work from "./work.ts";

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** The most jobs it holds, finished ones included; beyond that, enqueueing fails with NS_STORE_FULL. Default: no limit. */
  readonly maxJobs?: number;
}

/**
 * A store in this process's memory: the model of what every store does, for tests and for work that may be lost with
 * the process. It keeps its jobs while it is closed, so that a test can stop a host and start another on the same data.
 *
 * @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID
 * @example
 * ```ts
 * import { memory } from "nightshift/memory";
 *
 * const store = memory({ maxJobs: 10_000 });
 * console.log(store.info().durability); // none
 * ```
 */
export function memory(options: MemoryOptions = {}): C.Store {
  const problems = new Problems();
  const given = optionsOf(options, "memory()", problems);
  problems.unknownOptions("memory()", given, ["maxJobs"]);
  const { maxJobs = Number.POSITIVE_INFINITY } = given;
  if (typeof maxJobs !== "number" || !(maxJobs >= 1))
    problems.add("NS_OPTION_INVALID", `memory(): maxJobs is ${show(maxJobs)}. Give 1 or more.`);
  problems.throwIfAny("memory()");
  return new MemoryStore(maxJobs);
}

class MemoryStore implements C.Store {
  readonly #state = new MemoryState();
  readonly #listeners = new Listeners();
  readonly #maxJobs: number;
  #context: C.StoreContext | null = null;
  #openings = 0;

  constructor(maxJobs: number) {
    this.#maxJobs = maxJobs;
  }

  async open(context: C.StoreContext): Promise<void> {
    this.#context ??= context;
    this.#openings++;
  }
  async close(): Promise<void> {
    if (this.#openings > 0) this.#openings--;
    if (this.#openings === 0) this.#context = null;
  }
  info() {
    const engine = process.version;
    return { kind: "memory", location: "this process", engine, durability: "none", synchronous: true } as const;
  }
  async now(): Promise<number> {
    return this.#run(({ at }) => at.wall);
  }
  subscribe(listener: (wake: C.Wake) => void): Disposable {
    return this.#listeners.subscribe(listener);
  }

  async enqueue(jobs: readonly C.NewJob[], options: C.EnqueueOptions = {}): Promise<readonly C.JobId[]> {
    checkJobs(jobs);
    if (options.tx !== undefined) {
      throw new NightshiftError("NS_STORE_TX", "The memory store has no transactions. Leave tx out.");
    }
    return this.#run(({ state, at }) => {
      this.#makeRoomFor(jobs.length);
      return jobs.map((job) => state.add(job, at.wall));
    });
  }

  async register(instance: C.NewInstance, ttl: number): Promise<C.InstanceId> {
    checkInstance(instance, ttl);
    return this.#run(({ state, at }) => work.register(state, instance, ttl, at));
  }
  async heartbeat(instance: C.InstanceId, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ state, at }) => work.heartbeat(state, instance, ttl, at));
  }
  async deregister(instance: C.InstanceId): Promise<void> {
    this.#run(({ state, at }) => work.deregister(state, instance, at));
  }
  async claim(instance: C.InstanceId, request: C.ClaimRequest) {
    return this.#run(({ state, at }) => work.claim(state, instance, request, at));
  }
  async enqueueAndClaim(jobs: readonly C.NewJob[], instance: C.InstanceId, request: C.ClaimRequest) {
    checkJobs(jobs);
    mergeWants(request.wants);
    return this.#run(({ state, at }) => {
      this.#makeRoomFor(jobs.length);
      const ids = jobs.map((job) => state.add(job, at.wall));
      const leases = work.claim(state, instance, request, at);
      const waiting = new Set(notClaimed(jobs, ids, leases).map(({ queue }) => queue));
      for (const { queue } of leases) if (!waiting.has(queue)) state.wakes.taken(queue);
      return { ids, leases };
    });
  }
  async reconcile(instance: C.InstanceId, held: readonly C.LeaseId[]): Promise<void> {
    this.#run(({ state, at }) => work.reconcile(state, instance, held, at));
  }
  async settle(instance: C.InstanceId, settlements: readonly C.Settlement[]) {
    checkSettlements(settlements);
    return this.#run(({ state, at }) => ({ refused: work.settle(state, instance, settlements, at) }));
  }
  async settleAndClaim(instance: C.InstanceId, settlements: readonly C.Settlement[], request: C.ClaimRequest) {
    checkSettlements(settlements);
    return this.#run(({ state, at }) => ({
      refused: work.settle(state, instance, settlements, at),
      leases: work.claim(state, instance, request, at),
    }));
  }

  async promote(serving: C.Serving, limit: number) {
    return this.#run(({ state, at }) => upkeep.promote(state, serving, limit, at));
  }
  async rescue(limit: number) {
    return this.#run(({ state, at }) => upkeep.rescue(state, limit, at));
  }
  async prune(retention: C.Retention, limit: number) {
    return this.#run(({ state, at }) => upkeep.prune(state, retention, limit, at));
  }
  async sweep(age: number, limit: number) {
    checkTtl(age);
    return this.#run(({ state, at }) => upkeep.sweep(state, age, limit, at));
  }
  async pauseQueue(queue: string, reason?: string): Promise<void> {
    checkPause(queue, reason);
    this.#run(({ state, at }) => {
      const since = state.paused.get(queue)?.since ?? at.wall;
      state.paused.set(queue, { reason: reason ?? null, since });
    });
  }
  async resumeQueue(queue: string): Promise<void> {
    this.#run(({ state }) => {
      if (state.paused.delete(queue)) state.wakes.work(queue);
    });
  }
  async cancel(jobs: readonly C.JobId[], reason: string) {
    checkText(reason, "reason");
    return this.#run(({ state, at }) => upkeep.cancel(state, jobs, reason, at));
  }
  async retry(jobs: readonly C.JobId[]) {
    return this.#run(({ state, at }) => upkeep.retry(state, jobs, at));
  }
  async runNow(jobs: readonly C.JobId[]) {
    return this.#run(({ state }) => upkeep.runNow(state, jobs));
  }

  async saveSchedules(list: readonly C.NewSchedule[], expected?: readonly number[]) {
    checkSchedules(list, expected);
    return this.#run(({ state, at }) => schedules.saveSchedules(state, list, expected, at.wall));
  }
  async getSchedules(ids: readonly string[]) {
    return this.#run(({ state }) => ids.flatMap((id) => state.schedules.get(id) ?? []));
  }
  async listSchedules(query: C.ScheduleQuery) {
    checkPage(query);
    return this.#run(({ state }) => schedules.listSchedules(state, query));
  }
  async scheduleGroups() {
    return this.#run(({ state }) => schedules.scheduleGroups(state));
  }
  async removeSchedules(ids: readonly string[], expected?: readonly number[]) {
    checkExpected("removeSchedules", ids.length, expected);
    return this.#run(({ state }) => schedules.removeSchedules(state, ids, expected));
  }
  async dueSchedules(limit: number) {
    return this.#run(({ state, at }) => schedules.dueSchedules(state, limit, at.wall));
  }
  async fire(fires: readonly C.Fire[], by: string) {
    checkFires(fires);
    return this.#run(({ state, at }) => {
      this.#makeRoomFor(fires.reduce((sum, { occurrences }) => sum + occurrences.length, 0));
      return schedules.fire(state, fires, by, at);
    });
  }
  async listOccurrences(schedule: string, page: C.PageRequest) {
    checkPage(page);
    return this.#run(({ state }) => schedules.listOccurrences(state, schedule, page));
  }
  async pruneOccurrences(before: number, limit: number) {
    return this.#run(({ state }) => schedules.pruneOccurrences(state, before, limit));
  }
  async saveCalendar(name: string, definition: string): Promise<void> {
    checkCalendar(name, definition);
    this.#run(({ state }) => {
      state.calendars.set(name, definition);
      state.wakes.schedules();
    });
  }
  async removeCalendar(name: string) {
    return this.#run(({ state }) => {
      const removed = state.calendars.delete(name);
      if (removed) state.wakes.schedules();
      return removed;
    });
  }
  async listCalendars() {
    return this.#run(({ state }) => {
      const all = [...state.calendars].map(([name, definition]) => ({ name, definition }));
      return all.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async campaign(role: string, holder: string, ttl: number) {
    checkCampaign(role, holder, ttl);
    return this.#run(({ state, at }) => schedules.campaign(state, role, holder, ttl, at));
  }
  async renew(role: string, token: string, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ state, at }) => schedules.renew(state, role, token, ttl, at));
  }
  async resign(role: string, token: string): Promise<void> {
    this.#run(({ state }) => schedules.resign(state, role, token));
  }
  async leaders() {
    return this.#run(({ state, at }) => {
      const held = [...state.terms.values()].filter(({ expires }) => expires > at.monotonic);
      return held
        .map(({ role, holder, token }) => ({ role, holder, token }))
        .sort((a, b) => (a.role < b.role ? -1 : 1));
    });
  }

  async counts() {
    return this.#run(({ state }) => inspection.counts(state));
  }
  async throughput(from: number, to: number, step: number) {
    return this.#run(({ state }) => inspection.throughput(state, from, to, step));
  }
  async getJob(id: C.JobId) {
    return this.#run(({ state, at }) => inspection.getJob(state, id, at));
  }
  async statesOf(ids: readonly C.JobId[]) {
    return this.#run(({ state }) => inspection.statesOf(state, ids));
  }
  async listJobs(query: C.JobQuery) {
    checkList(query);
    return this.#run(({ state, at }) => inspection.listJobs(state, query, at));
  }
  async countJobs(query: C.CountQuery) {
    checkCount(query);
    return this.#run(({ state }) => inspection.countJobs(state, query));
  }
  async listInstances() {
    return this.#run(({ state, at }) => inspection.listInstances(state, at));
  }

  async identity() {
    return this.#run(({ state }) => state.identity);
  }
  async readJobs(page: C.PageRequest & { readonly finished: boolean }) {
    checkPage(page);
    return this.#run(({ state }) => transfer.readJobs(state, page));
  }
  async importJobs(source: string, jobs: readonly C.WholeJob[]) {
    checkName(source, "source");
    checkWholeJobs(jobs);
    return this.#run(({ state, at }) => {
      this.#makeRoomFor(jobs.length);
      return transfer.importJobs(state, source, jobs, at.wall);
    });
  }
  async findImported(source: string, jobs: readonly C.SourceJob[]) {
    return this.#run(({ state }) => transfer.findImported(state, source, jobs));
  }

  async findings() {
    return this.#run(() => []);
  }
  async verify() {
    // A job's place is one field here, so that none of what others must check can be otherwise.
    return this.#run(({ state }) => ({ jobs: state.jobs.size, findings: [] }));
  }

  /** Operations are synchronous, so each is all or nothing by itself; listeners hear of it when it is over. */
  #run<T>(operation: (on: { readonly state: MemoryState; readonly at: work.Instant }) => T): T {
    const context = this.#context;
    if (context === null)
      throw new NightshiftError("NS_STORE_CLOSED", "The memory store is not open. Call open() first.");
    const { clock, logger } = context;
    const result = operation({ state: this.#state, at: { wall: clock.now(), monotonic: clock.monotonic() } });
    this.#listeners.emit(this.#state.takeWakes(), logger);
    return result;
  }

  #makeRoomFor(count: number): void {
    if (this.#state.jobs.size + count <= this.#maxJobs) return;
    const message = `The memory store holds ${this.#state.jobs.size} jobs of at most ${this.#maxJobs}; ${count} more do not fit. Prune finished jobs or raise maxJobs.`;
    throw new NightshiftError("NS_STORE_FULL", message);
  }
}
