/** The PostgreSQL store behind the contract: opens and closes, checks what it is given, hands it to its parts. */
import { messageOf } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/logger.ts";
import type {
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
import { verify } from "./condition.ts";
import { countJobs } from "./counting.ts";
import { Database } from "./database.ts";
import { checkOut, ignoreError, loadPg, type PgPoolClient } from "./driver.ts";
import { Enqueueing } from "./enqueueing.ts";
import { findings } from "./findings.ts";
import { Floors } from "./floors.ts";
import { Gate } from "./gate.ts";
import { careful, incoming } from "./incoming.ts";
import * as inspection from "./inspection.ts";
import { Keeping, maintain } from "./keeping.ts";
import { LeaseIds } from "./lease-ids.ts";
import { Line } from "./line.ts";
import { listJobs } from "./listing.ts";
import { firstNames } from "./meeting.ts";
import { migrate } from "./migrate.ts";
import { Notifier } from "./notifier.ts";
import type { Settings } from "./options.ts";
import { isSameDatabase } from "./same-database.ts";
import * as scheduling from "./scheduling.ts";
import { hear, run, type Session, sawTime } from "./session.ts";
import * as transfer from "./transfer.ts";
import { Working } from "./working.ts";

/** The most questions of dashboards under way at once. */
const LOOKERS = 2;

/** What an open store works with. */
interface Open {
  readonly session: Session;
  readonly enqueueing: Enqueueing;
  readonly working: Working;
  readonly keeping: Keeping;
}

export class PostgresStore implements Store {
  readonly #settings: Settings;
  readonly #listeners = new Listeners();
  readonly #opening = new Opening<Open>("The PostgreSQL store");
  readonly #gate: Gate;
  #engine = "";

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#gate = new Gate(Math.max(1, Math.min(LOOKERS, settings.connections - 3)));
  }

  open(context: StoreContext): Promise<void> {
    return this.#opening.open(() => this.#connect(context));
  }
  close(): Promise<void> {
    return this.#opening.close(async ({ session }) => {
      session.line[Symbol.dispose]();
      await session.notifier.close();
      await session.database.end();
    });
  }
  info(): StoreInfo {
    return { kind: "postgres", location: this.#settings.location, engine: this.#engine, durability: "power-loss" };
  }
  now(): Promise<number> {
    return this.#run(async ({ session }) => {
      const [row] = await run(session, "now", `select ${session.s}.now_ms()`, []);
      const now = Number(row?.[0]);
      sawTime(session, now);
      return now;
    });
  }
  subscribe(listener: (wake: Wake) => void): Disposable {
    return this.#listeners.subscribe(listener);
  }

  async enqueue(jobs: readonly NewJob[], options: EnqueueOptions = {}): Promise<readonly JobId[]> {
    checkJobs(jobs);
    return this.#run(({ enqueueing }) => enqueueing.enqueue(jobs, options));
  }

  /** Whether a caller's client is connected to this very database; what is no client is left to {@link enqueue} to refuse. */
  async owns(tx: unknown): Promise<boolean> {
    return this.#run(({ session }) => isSameDatabase(session, tx));
  }

  async register(instance: NewInstance, ttl: number): Promise<InstanceId> {
    checkInstance(instance, ttl);
    return this.#run(({ working }) => working.register(instance, ttl));
  }
  async heartbeat(instance: InstanceId, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ working }) => working.heartbeat(instance, ttl));
  }
  async deregister(instance: InstanceId): Promise<void> {
    await this.#run(({ working }) => working.deregister(instance));
  }
  async reconcile(instance: InstanceId, held: readonly LeaseId[]): Promise<void> {
    await this.#run(({ working }) => working.reconcile(instance, held));
  }
  async claim(instance: InstanceId, request: ClaimRequest) {
    return this.#run(({ working }) => working.claim(instance, request));
  }
  async enqueueAndClaim(jobs: readonly NewJob[], instance: InstanceId, request: ClaimRequest) {
    checkJobs(jobs);
    return this.#run(({ working, enqueueing }) => working.enqueueAndClaim(enqueueing, jobs, instance, request));
  }
  async settle(instance: InstanceId, settlements: readonly Settlement[]) {
    checkSettlements(settlements);
    return this.#run(({ working }) => working.settle(instance, settlements));
  }
  async settleAndClaim(instance: InstanceId, settlements: readonly Settlement[], request: ClaimRequest) {
    checkSettlements(settlements);
    return this.#run(({ working }) => working.settleAndClaim(instance, settlements, request));
  }

  async promote(serving: Serving, limit: number) {
    return this.#run(({ keeping }) => keeping.promote(serving, limit));
  }
  async rescue(limit: number) {
    return this.#run(({ keeping }) => keeping.rescue(limit));
  }
  async prune(retention: Retention, limit: number) {
    return this.#run(({ keeping }) => keeping.prune(retention, limit));
  }
  async sweep(age: number, limit: number) {
    checkTtl(age);
    return this.#run(({ keeping }) => keeping.sweep(age, limit));
  }
  async pauseQueue(queue: string, reason?: string): Promise<void> {
    checkPause(queue, reason);
    await this.#run(({ keeping }) => keeping.pauseQueue(queue, reason));
  }
  async resumeQueue(queue: string): Promise<void> {
    await this.#run(({ keeping }) => keeping.resumeQueue(queue));
  }
  async cancel(jobs: readonly JobId[], reason: string) {
    checkText(reason, "reason");
    return this.#run(({ keeping }) => keeping.cancel(jobs, reason));
  }
  async retry(jobs: readonly JobId[]) {
    return this.#run(({ keeping }) => keeping.retry(jobs));
  }
  async runNow(jobs: readonly JobId[]) {
    return this.#run(({ keeping }) => keeping.runNow(jobs));
  }

  async saveSchedules(schedules: readonly NewSchedule[], expected?: readonly number[]) {
    checkSchedules(schedules, expected);
    return this.#run(({ session }) => scheduling.saveSchedules(session, schedules, expected));
  }
  async getSchedules(ids: readonly string[]) {
    return this.#run(({ session }) => scheduling.getSchedules(session, ids));
  }
  async listSchedules(query: ScheduleQuery) {
    checkPage(query);
    return this.#run(({ session }) => scheduling.listSchedules(session, query));
  }
  async scheduleGroups() {
    return this.#run(({ session }) => scheduling.scheduleGroups(session));
  }
  async removeSchedules(ids: readonly string[], expected?: readonly number[]) {
    checkExpected("removeSchedules", ids.length, expected);
    return this.#run(({ session }) => scheduling.removeSchedules(session, ids, expected));
  }
  async dueSchedules(limit: number) {
    return this.#run(({ session }) => scheduling.dueSchedules(session, limit));
  }
  async fire(fires: readonly Fire[], by: string) {
    checkFires(fires);
    return this.#run(({ session }) => scheduling.fire(session, fires, by));
  }
  async listOccurrences(schedule: string, page: PageRequest) {
    checkPage(page);
    return this.#run(({ session }) => scheduling.listOccurrences(session, schedule, page));
  }
  async pruneOccurrences(before: number, limit: number) {
    return this.#run(({ session }) => scheduling.pruneOccurrences(session, before, limit));
  }
  async saveCalendar(name: string, definition: string): Promise<void> {
    checkCalendar(name, definition);
    await this.#run(({ session }) => scheduling.saveCalendar(session, name, definition));
  }
  async removeCalendar(name: string) {
    return this.#run(({ session }) => scheduling.removeCalendar(session, name));
  }
  async listCalendars() {
    return this.#run(({ session }) => scheduling.listCalendars(session));
  }

  async campaign(role: string, holder: string, ttl: number) {
    checkCampaign(role, holder, ttl);
    return this.#run(({ session }) => scheduling.campaign(session, role, holder, ttl));
  }
  async renew(role: string, token: string, ttl: number) {
    checkTtl(ttl);
    return this.#run(({ session }) => scheduling.renew(session, role, token, ttl));
  }
  async resign(role: string, token: string): Promise<void> {
    await this.#run(({ session }) => scheduling.resign(session, role, token));
  }
  async leaders() {
    return this.#run(({ session }) => scheduling.leaders(session));
  }

  async counts() {
    return this.#look((session) => inspection.counts(session));
  }
  async throughput(from: number, to: number, step: number) {
    return this.#look((session) => inspection.throughput(session, from, to, step));
  }
  async getJob(id: JobId) {
    return this.#look((session) => inspection.getJob(session, id));
  }
  async statesOf(ids: readonly JobId[]) {
    return this.#look((session) => inspection.statesOf(session, ids));
  }
  async listJobs(query: JobQuery) {
    checkList(query);
    return this.#look((session) => listJobs(session, query));
  }
  async countJobs(query: CountQuery) {
    checkCount(query);
    return this.#look((session) => countJobs(session, query));
  }
  async listInstances() {
    return this.#look((session) => inspection.listInstances(session));
  }

  async identity() {
    return this.#run(({ session }) => transfer.identity(session));
  }
  async readJobs(page: PageRequest & { readonly finished: boolean }) {
    checkPage(page);
    return this.#look((session) => transfer.readJobs(session, page));
  }
  async importJobs(source: string, jobs: readonly WholeJob[]) {
    checkName(source, "source");
    checkWholeJobs(jobs);
    return this.#run(({ session }) => transfer.importJobs(session, source, jobs));
  }
  async findImported(source: string, jobs: readonly SourceJob[]) {
    return this.#run(({ session }) => transfer.findImported(session, source, jobs));
  }

  async findings() {
    return this.#look((session) => findings(session));
  }
  async verify() {
    return this.#look((session) => verify(session));
  }

  /** What only looks: few at once, so that dashboards leave connections to workers and their heartbeats. */
  #look<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#run(({ session }) => this.#gate.through(() => work(session)));
  }

  #run<T>(work: (open: Open) => Promise<T>): Promise<T> {
    return this.#opening.run(work);
  }

  async #connect(context: StoreContext): Promise<Open> {
    const { clock, logger, signal } = context;
    const database = await Database.create(this.#settings, clock, logger);
    const giveUp = () => database.abandon();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      if (signal?.aborted) giveUp();
      this.#engine = `PostgreSQL ${await migrate(database, context)}`;
      const listeners = this.#listeners;
      let session: Session | null = null;
      const hearing = {
        heard: (news: Parameters<typeof hear>[1]) => session && hear(session, news),
        missed: () => listeners.emit([{ what: "unknown" }], logger),
      };
      const notifier = new Notifier(database, clock, logger, hearing, await this.#ear(database, logger));
      const line = new Line(
        clock,
        (queue) => listeners.emit([{ what: "work", queues: [queue] }], logger),
        (queue) => notifier.say({ queues: [queue] }),
      );
      session = {
        ...{ database, notifier, line, listeners, clock, logger, s: this.#settings.quoted },
        names: await firstNames(database),
        offset: null,
        floors: new Floors(),
        leaseIds: new LeaseIds(),
      };
      await maintain(session, logger);
      await notifier.start();
      return {
        session,
        enqueueing: new Enqueueing(session),
        working: new Working(session),
        keeping: new Keeping(session),
      };
    } catch (error) {
      await database.end().catch((err) => logger.debug({ err }, `closing after ${messageOf(error)} failed too`));
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** The connection that listens: from the pool, or past the pooler; none where a pooler is all there is. */
  async #ear(database: Database, logger: LoggerLike): Promise<(() => Promise<PgPoolClient>) | null> {
    const { pooler, listenConnectionString, applicationName } = this.#settings;
    if (listenConnectionString === null) return pooler ? null : () => database.connect();
    const { Client, Pool } = await loadPg();
    return async () => {
      const pool = new Pool({
        connectionString: listenConnectionString,
        max: 1,
        application_name: applicationName,
        connectionTimeoutMillis: 10_000,
        keepAlive: true,
        stream: incoming,
        Client: careful(Client),
      });
      pool.on("error", ignoreError);
      const client = await checkOut(pool);
      const release = client.release.bind(client);
      client.release = (error) => {
        release(error);
        pool
          .end()
          .catch((err: unknown) => logger.debug({ err }, "the pool of the connection that listens did not end well"));
      };
      return client;
    };
  }
}
