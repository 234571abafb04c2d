/** The SQLite store behind the contract: checks what it is given, and hands it to the writing or the reading connection. */
import { NightshiftError } from "../../errors/index.ts";
import { refuseMore } from "../../errors/option-checks.ts";
import { systemClock } from "../../time/index.ts";
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
import { checkExpected, checkFires, checkSchedules } from "../shared/scheduling.ts";
import { checkSettlements } from "../shared/settling.ts";
import { checkWholeJobs } from "../shared/transfer.ts";
import { anythingToClaim, claim } from "./claim.ts";
import * as condition from "./condition.ts";
import * as control from "./control.ts";
import { countJobs } from "./counting.ts";
import { CountsCache } from "./counts-cache.ts";
import { Database } from "./database.ts";
import { enqueueAndClaim } from "./direct.ts";
import { enqueue } from "./enqueue.ts";
import * as inspection from "./inspection.ts";
import * as instances from "./instances.ts";
import * as leadership from "./leadership.ts";
import { listJobs } from "./listing.ts";
import * as occurrences from "./occurrences.ts";
import { type FileUrl, readOptions, type Settings, type SqliteOptions } from "./options.ts";
import { nothingToPromote, promote } from "./promote.ts";
import { NOTHING_CLEARED, prune } from "./prune.ts";
import { rescue } from "./rescue.ts";
import * as schedules from "./schedules.ts";
import { settle } from "./settle.ts";
import { sweep } from "./sweep.ts";
import type { Transaction } from "./transaction.ts";
import * as transfer from "./transfer.ts";
import type { Operation } from "./writer.ts";

/** How many jobs one commit cancels, retries or hastens: some ten milliseconds. */
const SLICE = 500;

/**
 * A store in an SQLite file, through `node:sqlite`: nothing to install, and several processes may share the file.
 * Options are checked at once; the file is touched when the store is opened, by the host or the first call. That rejects
 * with NS_STORE_UNAVAILABLE (no such folder, no right to read or write), NS_STORE_FOREIGN (no SQLite file, or somebody else's
 * tables), NS_STORE_VERSION (of a newer nightshift), NS_STORE_CORRUPT, NS_STORE_FULL or NS_STORE_BUSY, and is safe to repeat.
 *
 * @param options the file's path, or {@link SqliteOptions}
 * @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, NS_DURATION_INVALID
 * @example
 * ```ts
 * import { sqlite } from "nightshift/sqlite";
 *
 * const store = sqlite({ path: "shop.db", durability: "full" });
 * console.log(store.info().kind); // sqlite
 * ```
 */
export function sqlite(options: string | FileUrl | SqliteOptions): C.Store;
export function sqlite(options: string | FileUrl | SqliteOptions, ...more: readonly unknown[]): C.Store {
  refuseMore("sqlite()", more, 'Give one object: sqlite({ path: "jobs.db", … }).');
  return new SqliteStore(readOptions(options));
}

class SqliteStore implements C.Store {
  readonly #settings: Settings;
  readonly #listeners = new Listeners();
  #openings = 0;
  #opening: Promise<Database> | null = null;
  #database: Database | null = null;
  /** How far retention is known to have nothing left to remove. */
  #cleared = NOTHING_CLEARED;
  readonly #counts = new CountsCache(systemClock);

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async open(context: C.StoreContext): Promise<void> {
    this.#openings++;
    const tell = (wakes: Iterable<C.Wake>) => this.#listeners.emit(wakes, context.logger);
    this.#opening ??= Database.open(this.#settings, context, tell);
    const opening = this.#opening;
    try {
      const database = await opening;
      if (this.#opening !== opening || this.#database === database) return;
      this.#database = database;
      // It may be another file than the one that was open before.
      this.#cleared = NOTHING_CLEARED;
    } catch (error) {
      if (this.#opening === opening) {
        this.#openings = 0;
        this.#opening = null;
      }
      throw error;
    }
  }
  async close(): Promise<void> {
    if (this.#openings === 0 || --this.#openings > 0) return;
    const opening = this.#opening;
    this.#database = null;
    this.#opening = null;
    // Also when it is still being opened; whoever opens it hears of a failure.
    const database = await opening?.catch(() => null);
    await database?.close();
  }
  info() {
    const { path, durability } = this.#settings;
    const survives = durability === "full" ? "power-loss" : "process";
    const engine = this.#database?.engine ?? "";
    return { kind: "sqlite", location: path, engine, durability: survives, synchronous: true } as const;
  }
  async now(): Promise<number> {
    return this.#open().machine.at().now;
  }
  subscribe(listener: (wake: C.Wake) => void): Disposable {
    return this.#listeners.subscribe(listener);
  }

  /** Not an async function: it would make two promises more of each call, and two turns of their queue. */
  enqueue(jobs: readonly C.NewJob[], options?: C.EnqueueOptions): Promise<readonly C.JobId[]> {
    try {
      checkJobs(jobs);
      const caller = options?.tx;
      if (caller === undefined) return this.#write((tx) => enqueue(tx, jobs));
      return Promise.resolve(this.#open().inTransactionOf(caller, (tx) => enqueue(tx, jobs)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async register(instance: C.NewInstance, ttl: number) {
    checkInstance(instance, ttl);
    return this.#write((tx) => instances.register(tx, instance, ttl));
  }
  async heartbeat(instance: C.InstanceId, ttl: number) {
    checkTtl(ttl);
    return this.#writeLightly((tx) => instances.heartbeat(tx, instance, ttl));
  }
  async deregister(instance: C.InstanceId) {
    return this.#write((tx) => instances.deregister(tx, instance));
  }
  async claim(instance: C.InstanceId, request: C.ClaimRequest) {
    const database = this.#open();
    if (database.writer.isIdle && !database.peek((on, names) => anythingToClaim(on, names, request))) return [];
    return this.#writeLightly((tx) => claim(tx, instance, request));
  }
  async enqueueAndClaim(jobs: readonly C.NewJob[], instance: C.InstanceId, request: C.ClaimRequest) {
    checkJobs(jobs);
    return this.#write((tx) => enqueueAndClaim(tx, jobs, instance, request));
  }
  async reconcile(instance: C.InstanceId, held: readonly C.LeaseId[]) {
    return this.#write((tx) => instances.reconcile(tx, instance, held));
  }
  async settle(instance: C.InstanceId, settlements: readonly C.Settlement[]) {
    checkSettlements(settlements);
    return this.#write((tx) => ({ refused: settle(tx, instance, settlements) }));
  }
  async settleAndClaim(instance: C.InstanceId, settlements: readonly C.Settlement[], request: C.ClaimRequest) {
    checkSettlements(settlements);
    return this.#write((tx) => ({
      refused: settle(tx, instance, settlements),
      leases: claim(tx, instance, request),
    }));
  }

  async promote(serving: C.Serving, limit: number) {
    const { machine, writer } = this.#open();
    const { now } = machine.at();
    const nothing = writer.isIdle && this.#read((reading) => nothingToPromote(reading, serving, now));
    return nothing || this.#write((tx) => promote(tx, serving, limit));
  }
  async rescue(limit: number) {
    return this.#write((tx) => rescue(tx, limit));
  }
  async prune(retention: C.Retention, limit: number) {
    const { count, cleared } = await this.#write((tx) => prune(tx, retention, limit, this.#cleared));
    this.#cleared = cleared;
    return count;
  }
  async sweep(age: number, limit: number) {
    checkTtl(age);
    return this.#write((tx) => sweep(tx, age, limit));
  }
  async pauseQueue(queue: string, reason?: string) {
    checkPause(queue, reason);
    return this.#write((tx) => control.pauseQueue(tx, queue, reason));
  }
  async resumeQueue(queue: string) {
    return this.#write((tx) => control.resumeQueue(tx, queue));
  }
  async cancel(jobs: readonly C.JobId[], reason: string) {
    checkText(reason, "reason");
    return this.#inSlices(jobs, (tx, slice) => control.cancel(tx, slice, reason));
  }
  async retry(jobs: readonly C.JobId[]) {
    return this.#inSlices(jobs, control.retry);
  }
  async runNow(jobs: readonly C.JobId[]) {
    return this.#inSlices(jobs, control.runNow);
  }

  async saveSchedules(list: readonly C.NewSchedule[], expected?: readonly number[]) {
    checkSchedules(list, expected);
    return this.#write((tx) => schedules.saveSchedules(tx, list, expected));
  }
  async getSchedules(ids: readonly string[]) {
    return this.#read(({ on }) => schedules.getSchedules(on, ids));
  }
  async listSchedules(query: C.ScheduleQuery) {
    checkPage(query);
    return this.#read(({ on }) => schedules.listSchedules(on, query));
  }
  async scheduleGroups() {
    return this.#read(({ on }) => schedules.scheduleGroups(on));
  }
  async removeSchedules(ids: readonly string[], expected?: readonly number[]) {
    checkExpected("removeSchedules", ids.length, expected);
    return this.#write((tx) => schedules.removeSchedules(tx, ids, expected));
  }
  async dueSchedules(limit: number) {
    const { now } = this.#open().machine.at();
    return this.#read(({ on }) => schedules.dueSchedules(on, limit, now));
  }
  async fire(fires: readonly C.Fire[], by: string) {
    checkFires(fires);
    return this.#write((tx) => schedules.fire(tx, fires, by));
  }
  async listOccurrences(schedule: string, page: C.PageRequest) {
    checkPage(page);
    return this.#read(({ on }) => occurrences.listOccurrences(on, schedule, page));
  }
  async pruneOccurrences(before: number, limit: number) {
    return this.#write((tx) => occurrences.pruneOccurrences(tx, before, limit));
  }
  async saveCalendar(name: string, definition: string) {
    checkCalendar(name, definition);
    return this.#write((tx) => occurrences.saveCalendar(tx, name, definition));
  }
  async removeCalendar(name: string) {
    return this.#write((tx) => occurrences.removeCalendar(tx, name));
  }
  async listCalendars() {
    return this.#read(({ on }) => occurrences.listCalendars(on));
  }

  async campaign(role: string, holder: string, ttl: number) {
    checkCampaign(role, holder, ttl);
    return this.#write((tx) => leadership.campaign(tx, role, holder, ttl));
  }
  async renew(role: string, token: string, ttl: number) {
    checkTtl(ttl);
    return this.#writeLightly((tx) => leadership.renew(tx, role, token, ttl));
  }
  async resign(role: string, token: string) {
    return this.#write((tx) => leadership.resign(tx, role, token));
  }
  async leaders() {
    const { machine } = this.#open();
    return this.#read(({ on }) => leadership.leaders({ on, machine, at: machine.at() }));
  }

  async counts() {
    return this.#counts.get(() => this.#read(inspection.counts));
  }
  async throughput(from: number, to: number, step: number) {
    return this.#read((reading) => inspection.throughput(reading, from, to, step));
  }
  async getJob(id: C.JobId) {
    return this.#read((reading) => inspection.getJob(reading, id));
  }
  async statesOf(ids: readonly C.JobId[]) {
    return this.#read((reading) => inspection.statesOf(reading, ids));
  }
  async listJobs(query: C.JobQuery) {
    checkList(query);
    return this.#read((reading) => listJobs(reading, query));
  }
  async countJobs(query: C.CountQuery) {
    checkCount(query);
    return countJobs(this.#read, query, systemClock);
  }
  async listInstances() {
    return this.#read(inspection.listInstances);
  }

  async identity() {
    return this.#read(transfer.identity);
  }
  async readJobs(page: C.PageRequest & { readonly finished: boolean }) {
    checkPage(page);
    return this.#read((reading) => transfer.readJobs(reading, page));
  }
  async importJobs(source: string, jobs: readonly C.WholeJob[]) {
    checkName(source, "source");
    checkWholeJobs(jobs);
    return this.#write((tx) => transfer.importJobs(tx, source, jobs));
  }
  async findImported(source: string, jobs: readonly C.SourceJob[]) {
    return this.#read(({ on }) => transfer.findImported(on, source, jobs));
  }

  async findings() {
    return this.#read((reading) => condition.findings(reading, this.#settings.path));
  }
  async verify() {
    return this.#read((reading) => condition.verify(reading, this.#settings.path));
  }

  /** Each slice in a commit of its own, so that handlers, heartbeats and other processes have their turn between them. */
  async #inSlices<T>(
    jobs: readonly C.JobId[],
    work: (tx: Transaction, slice: readonly C.JobId[]) => readonly T[],
  ): Promise<readonly T[]> {
    const results: T[] = [];
    for (let from = 0; from === 0 || from < jobs.length; from += SLICE) {
      const slice = jobs.slice(from, from + SLICE);
      results.push(...(await this.#write((tx) => work(tx, slice))));
    }
    return results;
  }

  #write<T>(operation: Operation<T>): Promise<T> {
    return this.#open().writer.submit(operation);
  }

  /** For what means nothing once all processes of this machine are gone: its commit does not wait for the disk. */
  #writeLightly<T>(operation: Operation<T>): Promise<T> {
    return this.#open().writer.submit(operation, false);
  }

  #read: Database["read"] = (question) => this.#open().read(question);

  #open(): Database {
    if (this.#database !== null) {
      this.#database.assertWhole();
      return this.#database;
    }
    throw new NightshiftError("NS_STORE_CLOSED", `${this.#settings.path} is not open. Call open() first.`);
  }
}
