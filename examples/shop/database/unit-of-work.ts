/**
 * The shop's unit of work: one connection per scope, that is per job attempt and per HTTP request. What one of them
 * leaves open can therefore never leak into another.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { token } from "nightshift";
import { connect } from "./schema.ts";

/** The path of the shop's database file. */
export const DatabaseFile = token<string>("DatabaseFile");

export class UnitOfWork implements Disposable {
  static readonly inject = [DatabaseFile] as const;
  readonly #file: string;
  #connection: DatabaseSync | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  get #database(): DatabaseSync {
    return (this.#connection ??= connect(this.#file));
  }

  /** Runs one statement; returns how many rows it changed, and the last row's id. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly id: number } {
    const { changes, lastInsertRowid } = this.#database.prepare(sql).run(...values);
    return { changes: Number(changes), id: Number(lastInsertRowid) };
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#database.prepare(sql).get(...values) as Row | undefined;
  }

  /** Commits what `work` wrote, jobs enqueued with `tx` included, or nothing of it. */
  async transaction<T>(work: (tx: DatabaseSync) => Promise<T>): Promise<T> {
    const database = this.#database;
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = await work(database);
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Closes the connection at the end of the scope; an open transaction is rolled back. */
  [Symbol.dispose](): void {
    this.#connection?.close();
  }
}
