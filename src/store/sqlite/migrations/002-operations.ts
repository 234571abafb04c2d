/** What operations need: who this database is, which jobs came from elsewhere, and how many jobs each final state holds. */
import type { Migration } from "../migrate.ts";

const kept = (letter: string) => `(SELECT count(*) FROM nightshift_finished AS f WHERE f.what = '${letter}'
      AND NOT EXISTS (SELECT 1 FROM nightshift_finished AS n WHERE n.job_id = f.job_id AND n.id > f.id))`;
const ended = (state: string) => `coalesce((SELECT count FROM nightshift_total WHERE what = '${state}'), 0)`;

export const operations: Migration = {
  version: 2,
  name: "operations",
  compatibleFrom: 1,
  sql: `
    -- One row. Copies of the file share it: a job is the same job in all of them.
    CREATE TABLE nightshift_identity (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    INSERT INTO nightshift_identity VALUES (lower(hex(randomblob(16))));

    -- Jobs that came from another store, by what they were there: importing again makes no second one.
    CREATE TABLE nightshift_imported (
      source TEXT NOT NULL,
      source_job TEXT NOT NULL,
      job_id INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (source, source_job)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nightshift_imported_at ON nightshift_imported (at);

    -- Lines of history that imports brought (lease_id 0): their times rise with no id.
    CREATE INDEX nightshift_finished_imported ON nightshift_finished (what, at) WHERE lease_id = 0;
    CREATE TABLE nightshift_imported_lines (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;

    -- How many jobs left each final state; counted once here, kept up from now on.
    INSERT INTO nightshift_total
      SELECT 'gone-succeeded', ${ended("succeeded")} - ${kept("s")}
      UNION ALL SELECT 'gone-dead', ${ended("dead")} - ${kept("d")}
      UNION ALL SELECT 'gone-cancelled', ${ended("cancelled")} - ${kept("c")};
  `,
};
