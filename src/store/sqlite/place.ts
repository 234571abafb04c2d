/** Where a job is: asked of one job at a time, by people and for control. */
import type { FinalState, JobId, RunningOn } from "../contract.ts";
import type { Connection } from "./connection.ts";
import { finalStateOf, type Letter } from "./history.ts";
import { decodeLeased } from "./lease.ts";
import { JOB_BODY, LAST_FINISHED, PARKED_ENTRY, READY_ENTRY, SCHEDULED_ENTRY } from "./sql/control.ts";
import { ALL_LEASES } from "./sql/instances.ts";

export interface BodyRow {
  readonly id: number;
  readonly queue_id: number;
  readonly name_id: number;
  readonly priority: number;
  readonly max_attempts: number;
  readonly max_crashes: number;
  readonly created_at: number;
}

export interface LastRow {
  readonly id: number;
  readonly at: number;
  readonly attempt: number;
  readonly what: Letter;
  readonly error: string | null;
  readonly result: string | null;
}

export interface RunningJob {
  readonly id: number;
  readonly attempt: number;
  readonly claimedAt: number;
  readonly instance: RunningOn;
  readonly queueId: number;
  readonly nameId: number;
}

/** A lease with the instance that holds it. */
interface LeaseRow extends Pick<RunningOn, "name" | "host" | "pid"> {
  readonly expires_at: number;
  readonly queue_id: number;
  readonly claimed_at: number;
  readonly jobs: string;
}

/** A job's place. `attempt` counts the attempts begun so far. */
export type Place =
  | { readonly at: "scheduled"; readonly attempt: number; readonly runAt: number }
  | { readonly at: "ready" | "parked"; readonly attempt: number }
  | { readonly at: "running"; readonly attempt: number; readonly running: RunningJob }
  | { readonly at: "final"; readonly attempt: number; readonly state: FinalState; readonly last: LastRow };

/** Finds jobs as one connection sees them at one moment. What runs is read once, when first needed. */
export class Places {
  readonly #on: Connection;
  #running: Map<JobId, RunningJob> | null = null;

  constructor(on: Connection) {
    this.#on = on;
  }

  body(id: number): BodyRow | undefined {
    return this.#on.get<BodyRow>(JOB_BODY, id);
  }

  /** Everything that runs, in the order of the claims. */
  get running(): ReadonlyMap<JobId, RunningJob> {
    this.#running ??= this.#readRunning();
    return this.#running;
  }

  /** Where a job is. Null only for a damaged database: a job that exists is somewhere. */
  of({ id, queue_id, name_id, priority }: BodyRow): Place | null {
    const last = this.#on.get<LastRow>(LAST_FINISHED, id);
    const state = last === undefined ? null : finalStateOf(last.what);
    if (last !== undefined && state !== null) return { at: "final", attempt: last.attempt, state, last };
    const ready = this.#on.get<{ attempt: number }>(READY_ENTRY, queue_id, -priority, id);
    if (ready !== undefined) return { at: "ready", attempt: ready.attempt };
    const scheduled = this.#on.get<{ run_at: number; attempt: number }>(SCHEDULED_ENTRY, id);
    if (scheduled !== undefined) return { at: "scheduled", attempt: scheduled.attempt, runAt: scheduled.run_at };
    const running = this.running.get(String(id));
    if (running !== undefined) return { at: "running", attempt: running.attempt, running };
    const parked = this.#on.get<{ attempt: number }>(PARKED_ENTRY, name_id, id);
    return parked === undefined ? null : { at: "parked", attempt: parked.attempt };
  }

  #readRunning(): Map<JobId, RunningJob> {
    const found = new Map<JobId, RunningJob>();
    for (const { queue_id: queueId, claimed_at: claimedAt, jobs, ...row } of this.#on.all<LeaseRow>(ALL_LEASES)) {
      const { name, host, pid, expires_at: expiresAt } = row;
      const instance = { name, host, pid, expiresAt };
      for (const [id, job] of decodeLeased(jobs)) found.set(id, { ...job, claimedAt, instance, queueId });
    }
    return found;
  }
}
