/** The physical limit: the same rows through the same driver, without the library. */
import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE job (id INTEGER PRIMARY KEY, queue INT, name INT, priority INT, a INT, b INT, created INT, input TEXT, meta TEXT) STRICT;
  CREATE TABLE ready (queue INT, rank INT, job INT, attempt INT, PRIMARY KEY (queue, rank, job)) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, instance INT, jobs TEXT) STRICT;
  CREATE TABLE finished (id INTEGER PRIMARY KEY, at INT, job INT, lease INT, queue INT, name INT, instance INT, attempt INT,
    what TEXT, ms INT, error TEXT, result TEXT) STRICT;
  CREATE INDEX finished_job ON finished (job)`;

/** A file with the narrowest schema that keeps bodies, order, leases and history. */
export class RawFile {
  readonly #database: DatabaseSync;
  readonly #insertJob;
  readonly #insertReady;
  #id = 0;

  constructor(path: string, durability: "FULL" | "NORMAL") {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; ${SCHEMA}`);
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
    let drained = 0;
    do {
      this.#database.exec("BEGIN IMMEDIATE");
      const now = Date.now();
      for (const { job, attempt } of held) finish.run(now, Number(job), lease, Number(attempt));
      if (held.length > 0) deleteLease.run(lease);
      held = take.all();
      if (held.length > 0)
        lease = Number(insertLease.get(JSON.stringify(held.map(({ job, attempt }) => [job, attempt])))?.["id"]);
      for (const { job } of held) body.get(Number(job));
      this.#database.exec("COMMIT");
      drained += held.length;
    } while (held.length > 0);
    return drained;
  }

  close(): void {
    this.#database.close();
  }
}
