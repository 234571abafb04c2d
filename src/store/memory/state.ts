/** The memory store's data, and the few moves that every operation is made of. A job is always in exactly one place. */
import { randomUUID } from "node:crypto";
import type {
  FinalState,
  HistoryEntry,
  InstanceId,
  JobId,
  LeaseId,
  NewInstance,
  NewJob,
  StoredOccurrence,
  StoredSchedule,
} from "../contract.ts";
import { dueAt } from "../shared/check.ts";
import { WakeCollector } from "../shared/listeners.ts";
import { type Ending, isRetriedLoss, type NewHistory } from "../shared/outcomes.ts";
import { type Counted, countedAs, minuteOf } from "../shared/rollup.ts";
import { asCounted, type Landing } from "../shared/transfer.ts";
import { Heap } from "./heap.ts";
import { isSooner, type ScheduleTime } from "./schedules.ts";

/** Where a job is. Moving makes a new object, which is how heaps recognise entries that no longer count. */
export type Place =
  | { readonly at: "scheduled"; readonly due: number }
  | { readonly at: "ready"; readonly parked: boolean }
  | { readonly at: "running"; readonly lease: MemoryLease }
  | { readonly at: "final"; readonly state: FinalState; readonly ended: number; readonly order: number };

export interface MemoryHistory extends HistoryEntry {
  readonly result: string | null;
  readonly lease: LeaseId | null;
}

export interface MemoryJob {
  readonly id: JobId;
  /** The order of enqueueing. */
  readonly seq: number;
  readonly body: NewJob;
  readonly createdAt: number;
  readonly history: MemoryHistory[];
  /** Attempts begun that count. */
  attempt: number;
  cancelRequested: string | null;
  place: Place;
}

export interface MemoryInstance {
  readonly id: InstanceId;
  readonly body: NewInstance;
  readonly startedAt: number;
  /** By the monotonic clock: a wall clock that jumps must not kill or revive anybody. */
  expires: number;
  readonly leases: Set<MemoryLease>;
}

export interface MemoryLease {
  readonly id: LeaseId;
  readonly queue: string;
  readonly instance: MemoryInstance;
  readonly claimedAt: number;
  readonly jobs: Set<MemoryJob>;
}

export interface MemoryTerm {
  readonly role: string;
  readonly token: string;
  readonly holder: string;
  expires: number;
}

interface Entry {
  readonly job: MemoryJob;
  readonly place: Place;
}
interface ScheduledEntry extends Entry {
  readonly due: number;
}

/** Everything that the store holds. */
export class MemoryState {
  readonly jobs = new Map<JobId, MemoryJob>();
  readonly ready = new Map<string, Heap<Entry>>();
  readonly parked = new Set<MemoryJob>();
  readonly scheduled = new Heap<ScheduledEntry>((a, b) => (a.due === b.due ? a.job.seq < b.job.seq : a.due < b.due));
  readonly instances = new Map<InstanceId, MemoryInstance>();
  readonly leases = new Map<LeaseId, MemoryLease>();
  readonly paused = new Map<string, { readonly reason: string | null; readonly since: number }>();
  readonly rollup = new Map<number, Map<Counted, number>>();
  readonly totals = new Map<Counted, number>();
  readonly schedules = new Map<string, StoredSchedule>();
  readonly schedulesByTime = new Heap<ScheduleTime>(isSooner);
  /** By schedule, then by planned time. */
  readonly occurrences = new Map<string, Map<number, StoredOccurrence>>();
  readonly calendars = new Map<string, string>();
  readonly terms = new Map<string, MemoryTerm>();
  readonly identity = randomUUID();
  /** Jobs that came from other stores, by source and what they were there. */
  readonly imported = new Map<string, { readonly id: JobId; readonly at: number }>();
  #sequence = 0;
  #wakes = new WakeCollector();

  /** The next number: of jobs, leases, instances, terms, revisions. Never used twice. */
  next(): number {
    return ++this.#sequence;
  }

  /** What is to be told after the operation that runs now. */
  get wakes(): WakeCollector {
    return this.#wakes;
  }

  takeWakes(): WakeCollector {
    const taken = this.#wakes;
    this.#wakes = new WakeCollector();
    return taken;
  }

  add(body: NewJob, now: number): JobId {
    const seq = this.next();
    const job: MemoryJob = {
      id: String(seq),
      seq,
      body,
      createdAt: now,
      history: [],
      attempt: 0,
      cancelRequested: null,
      place: { at: "ready", parked: false },
    };
    this.jobs.set(job.id, job);
    const due = dueAt(body, now);
    if (due === null) this.makeReady(job);
    else this.makeScheduled(job, due);
    return job.id;
  }

  makeReady(job: MemoryJob): void {
    this.parked.delete(job);
    job.place = { at: "ready", parked: false };
    let heap = this.ready.get(job.body.queue);
    if (heap === undefined) this.ready.set(job.body.queue, (heap = new Heap(claimedBefore)));
    heap.push({ job, place: job.place });
    this.wakes.work(job.body.queue);
  }

  makeScheduled(job: MemoryJob, due: number): void {
    job.place = { at: "scheduled", due };
    this.scheduled.push({ job, place: job.place, due });
    this.wakes.scheduled(due);
  }

  makeParked(job: MemoryJob): void {
    job.place = { at: "ready", parked: true };
    this.parked.add(job);
  }

  /** The first job of the queue that can be claimed, taken out of it. */
  takeReady(queue: string): MemoryJob | undefined {
    const heap = this.ready.get(queue);
    for (let entry = heap?.pop(); entry !== undefined; entry = heap?.pop()) {
      if (entry.job.place === entry.place) return entry.job;
    }
    return undefined;
  }

  /** The first scheduled job, left where it is. */
  peekScheduled(): ScheduledEntry | undefined {
    for (let entry = this.scheduled.peek(); entry !== undefined; entry = this.scheduled.peek()) {
      if (entry.job.place === entry.place) return entry;
      this.scheduled.pop();
    }
    return undefined;
  }

  /** Writes a job from elsewhere with its history, which is counted in the minutes that it names. */
  land({ body, createdAt }: Pick<MemoryJob, "body" | "createdAt">, { history, next }: Landing): JobId {
    const seq = this.next();
    const place: Place = { at: "ready", parked: false };
    const lines = history.map((line) => ({ ...line, lease: null }));
    const job: MemoryJob = {
      ...{ id: String(seq), seq, body, createdAt, history: lines, attempt: next.attempt, cancelRequested: null, place },
    };
    this.jobs.set(job.id, job);
    for (const { what, at } of asCounted(history)) this.#count(what, at);
    const last = lines.at(-1);
    if (next.to === "ready") this.makeReady(job);
    else if (next.to === "scheduled") this.makeScheduled(job, next.at);
    else if (last !== undefined) this.#makeFinal(job, last.what as FinalState, last.at);
    return job.id;
  }

  /** Takes a job out of its lease; the lease ends with its last job. */
  leave(lease: MemoryLease, job: MemoryJob): void {
    lease.jobs.delete(job);
    if (lease.jobs.size > 0) return;
    this.leases.delete(lease.id);
    lease.instance.leases.delete(lease);
  }

  /** Writes what an attempt's end means, and moves the job. */
  end(job: MemoryJob, ending: Ending, lease: MemoryLease, now: number): void {
    for (const line of ending.history) this.write(job, line, now, lease);
    if (isRetriedLoss(ending)) this.#count("retry", now);
    job.attempt = ending.next.attempt;
    if (ending.next.to === "ready") this.makeReady(job);
    else if (ending.next.to === "scheduled") this.makeScheduled(job, ending.next.at);
    else this.#makeFinal(job, ending.history.at(-1)?.what as FinalState, now);
  }

  /** Ends a job that nobody runs. */
  cancelWaiting(job: MemoryJob, reason: string, now: number): void {
    this.write(job, { what: "cancelled", attempt: job.attempt, ms: null, error: reason, result: null }, now, null);
    this.#makeFinal(job, "cancelled", now);
  }

  write(job: MemoryJob, line: NewHistory, now: number, lease: MemoryLease | null): void {
    const instance = lease?.instance.body.name ?? null;
    job.history.push({ ...line, at: now, instance, lease: lease?.id ?? null });
    this.#count(line.what, now);
  }

  #count(what: HistoryEntry["what"], at: number): void {
    const counted = countedAs(what);
    if (counted === null) return;
    this.totals.set(counted, (this.totals.get(counted) ?? 0) + 1);
    const minute = minuteOf(at);
    let counts = this.rollup.get(minute);
    if (counts === undefined) this.rollup.set(minute, (counts = new Map()));
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }

  #makeFinal(job: MemoryJob, state: FinalState, now: number): void {
    this.parked.delete(job);
    job.cancelRequested = null;
    job.place = { at: "final", state, ended: now, order: this.next() };
    this.wakes.finished(job.id);
  }
}

function claimedBefore(a: Entry, b: Entry): boolean {
  const difference = b.job.body.priority - a.job.body.priority;
  return difference === 0 ? a.job.seq < b.job.seq : difference < 0;
}
