/** The physical limit: the same rows through the same driver, without the library. One process enqueues, one works. */
import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, queue INT, name INT, priority INT, a INT, b INT, created INT, input TEXT, meta TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS ready (queue INT, rank INT, job INT, attempt INT, PRIMARY KEY (queue, rank, job)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY AUTOINCREMENT, instance INT, jobs TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS finished (id INTEGER PRIMARY KEY, at INT, job INT, lease INT, queue INT, name INT, instance INT, attempt INT,
    what TEXT, ms INT, error TEXT, result TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS finished_job ON finished (job)`;

/** A file with the narrowest schema that keeps bodies, order, leases and history. */
export class RawFile {
  readonly #database: DatabaseSync;
  readonly #insertJob;
  readonly #insertReady;
  #id = 0;

  constructor(path: string, durability: "FULL" | "NORMAL") {
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA busy_timeout = 5000; ${SCHEMA}`,
    );
    this.#insertJob = this.#database.prepare("INSERT INTO job VALUES (?, 1, 1, 0, 5, 5, ?, ?, NULL)");
    this.#insertReady = this.#database.prepare("INSERT INTO ready VALUES (1, 0, ?, 0)");
  }

  /** Inserts so many jobs in one transaction. */
  enqueue(inputs: readonly string[]): void {
    this.#database.exec("BEGIN IMMEDIATE");
    for (const input of inputs) {
      this.#id++;
      this.#insertJob.run(this.#id, Date.now(), input);
      this.#insertReady.run(this.#id);
    }
    this.#database.exec("COMMIT");
  }

  /** Claims, reads the bodies, and records success with the next claim in one commit, until nothing is left. Returns how many. */
  drain(batch: number): number {
    const step = this.worker(batch);
    let drained = 0;
    for (let taken = step(); taken > 0; taken = step()) drained += taken;
    return drained;
  }

  /** The same, a commit at a time: each call records what the last one took, and returns how many it takes. */
  worker(batch: number, handle: (input: string) => void = () => undefined): () => number {
    const take = this.#database.prepare(`
      DELETE FROM ready WHERE queue = 1 AND rank = 0 AND job IN (
        SELECT job FROM ready WHERE queue = 1 AND rank = 0 ORDER BY job LIMIT ${batch}
      ) RETURNING job, attempt + 1 AS attempt`);
    const body = this.#database.prepare("SELECT input, name FROM job WHERE id = ?");
    const insertLease = this.#database.prepare("INSERT INTO lease (instance, jobs) VALUES (1, ?) RETURNING id");
    const deleteLease = this.#database.prepare("DELETE FROM lease WHERE id = ?");
    const finish = this.#database.prepare(
      "INSERT INTO finished VALUES (NULL, ?, ?, ?, 1, 1, 1, ?, 's', 1, NULL, NULL)",
    );
    let held: Record<string, unknown>[] = [];
    let lease = 0;
    return () => {
      this.#database.exec("BEGIN IMMEDIATE");
      const now = Date.now();
      for (const { job, attempt } of held) finish.run(now, Number(job), lease, Number(attempt));
      if (held.length > 0) deleteLease.run(lease);
      held = take.all();
      if (held.length > 0)
        lease = Number(insertLease.get(JSON.stringify(held.map(({ job, attempt }) => [job, attempt])))?.["id"]);
      const bodies = held.map(({ job }) => String(body.get(Number(job))?.["input"]));
      this.#database.exec("COMMIT");
      for (const input of bodies) handle(input);
      return held.length;
    };
  }

  close(): void {
    this.#database.close();
  }
}
