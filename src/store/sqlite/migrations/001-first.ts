/** The first schema. Immutable: what was released is changed by a later migration only. */
import type { Migration } from "../migrate.ts";

export const first: Migration = {
  version: 1,
  name: "first schema",
  compatibleFrom: 1,
  sql: `
    -- Names of queues, jobs and instances: hot rows carry the small number.
    CREATE TABLE nightshift_name (
      id INTEGER PRIMARY KEY,
      text TEXT NOT NULL UNIQUE
    ) STRICT;

    -- Numbers that only grow: 'job' (the floor of job ids), 'revision' (of schedules), 'history' (its epoch).
    CREATE TABLE nightshift_counter (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A job's body: written once.
    CREATE TABLE nightshift_job (
      id INTEGER PRIMARY KEY,
      queue_id INTEGER NOT NULL,
      name_id INTEGER NOT NULL,
      priority INTEGER NOT NULL,
      max_attempts INTEGER NOT NULL,
      max_crashes INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      input TEXT NOT NULL,
      meta TEXT
    ) STRICT;

    -- What can be claimed. The table is the index; rank is the negated priority.
    CREATE TABLE nightshift_ready (
      queue_id INTEGER NOT NULL,
      rank INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      PRIMARY KEY (queue_id, rank, job_id)
    ) STRICT, WITHOUT ROWID;

    -- Ready, but of a name that no claimer knew.
    CREATE TABLE nightshift_parked (
      name_id INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      queue_id INTEGER NOT NULL,
      rank INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      PRIMARY KEY (name_id, job_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nightshift_parked_queue ON nightshift_parked (name_id, queue_id, job_id);

    CREATE TABLE nightshift_scheduled (
      run_at INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      queue_id INTEGER NOT NULL,
      rank INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      PRIMARY KEY (run_at, job_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nightshift_scheduled_job ON nightshift_scheduled (job_id);

    -- One process that works. The only row that is updated regularly.
    CREATE TABLE nightshift_instance (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name_id INTEGER NOT NULL,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      version TEXT NOT NULL,
      queues TEXT NOT NULL,
      names TEXT NOT NULL,
      concurrency INTEGER NOT NULL,
      started_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      expires_tick INTEGER NOT NULL,
      boot TEXT NOT NULL,
      namespace TEXT NOT NULL,
      os_pid INTEGER NOT NULL,
      os_started TEXT NOT NULL
    ) STRICT;

    -- One claimed batch. jobs: a JSON array of job id, attempt, name id, job id, attempt, name id, ...
    CREATE TABLE nightshift_lease (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      instance_id INTEGER NOT NULL,
      queue_id INTEGER NOT NULL,
      claimed_at INTEGER NOT NULL,
      size INTEGER NOT NULL,
      jobs TEXT NOT NULL
    ) STRICT;
    CREATE INDEX nightshift_lease_instance ON nightshift_lease (instance_id);

    -- Attempt log, acknowledgement and history in one; appended only.
    -- what: s succeeded, d dead, c cancelled, r retry, z snoozed, l lost, q requeued.
    CREATE TABLE nightshift_finished (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      lease_id INTEGER,
      queue_id INTEGER NOT NULL,
      name_id INTEGER NOT NULL,
      instance INTEGER,
      attempt INTEGER NOT NULL,
      what TEXT NOT NULL,
      ms INTEGER,
      error TEXT,
      result TEXT
    ) STRICT;
    CREATE INDEX nightshift_finished_job ON nightshift_finished (job_id);
    CREATE INDEX nightshift_finished_bad ON nightshift_finished (what, id) WHERE what <> 's';

    CREATE TABLE nightshift_rollup (
      minute INTEGER NOT NULL,
      what TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (minute, what)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE nightshift_total (
      what TEXT PRIMARY KEY,
      count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE nightshift_pause (
      queue_id INTEGER PRIMARY KEY,
      reason TEXT,
      since INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE nightshift_cancellation (
      job_id INTEGER PRIMARY KEY,
      reason TEXT NOT NULL
    ) STRICT;

    CREATE TABLE nightshift_schedule (
      id TEXT PRIMARY KEY,
      group_name TEXT NOT NULL,
      source TEXT NOT NULL,
      job TEXT NOT NULL,
      definition TEXT NOT NULL,
      next_at INTEGER,
      paused INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      last_at INTEGER,
      last_job INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nightshift_schedule_due ON nightshift_schedule (next_at) WHERE paused = 0 AND next_at IS NOT NULL;

    CREATE INDEX nightshift_schedule_group ON nightshift_schedule (group_name, id) WHERE group_name <> '';

    -- The primary key is the guard: one occurrence, at most one job.
    CREATE TABLE nightshift_occurrence (
      schedule TEXT NOT NULL,
      at INTEGER NOT NULL,
      what TEXT NOT NULL,
      reason TEXT,
      job_id INTEGER,
      fired_at INTEGER NOT NULL,
      fired_by TEXT NOT NULL,
      PRIMARY KEY (schedule, at)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nightshift_occurrence_at ON nightshift_occurrence (at);

    CREATE TABLE nightshift_calendar (
      name TEXT PRIMARY KEY,
      definition TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- The row stays when a term ends, so that tokens go on growing.
    CREATE TABLE nightshift_leader (
      role TEXT PRIMARY KEY,
      token INTEGER NOT NULL,
      holder TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      expires_tick INTEGER NOT NULL,
      boot TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Who has the file open, and with which SQLite.
    CREATE TABLE nightshift_process (
      boot TEXT NOT NULL,
      namespace TEXT NOT NULL,
      pid INTEGER NOT NULL,
      started TEXT NOT NULL,
      store TEXT NOT NULL,
      engine TEXT NOT NULL,
      opened_at INTEGER NOT NULL,
      PRIMARY KEY (boot, namespace, pid, started, store)
    ) STRICT, WITHOUT ROWID;
  `,
};
