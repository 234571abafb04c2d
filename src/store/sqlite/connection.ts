/**
 * One connection with its prepared statements: each is parsed and planned once, then only bound.
 *
 * Statements use plain `?`: for the first Node.js 22 numbered parameters (`?1`) have names, and cannot be bound in order.
 */
import { DatabaseSync } from "./driver.ts";

/** What the store needs of a driver: `node:sqlite` and drivers made in its image have it. */
export interface Driver {
  prepare(sql: string): DriverStatement;
  exec(sql: string): unknown;
}

interface DriverStatement {
  setReadBigInts?(enabled: boolean): unknown;
  setReturnArrays?(enabled: boolean): unknown;
  /** better-sqlite3's word for the first. */
  safeIntegers?(enabled: boolean): unknown;
  run(...values: Value[]): unknown;
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
  iterate(...values: Value[]): Iterable<unknown>;
}

/** What is bound to a statement. */
export type Value = string | number | null;

/** A driver and the statements prepared on it. */
export class Connection {
  readonly driver: Driver;
  readonly #statements = new Map<string, DriverStatement>();
  readonly #arrays = new Map<string, DriverStatement>();
  /** Whether `get` does what `run` does, without an object for the counts that nobody reads: a tenth of a small statement's time. */
  readonly #getsEffects: boolean;

  constructor(driver: Driver) {
    this.driver = driver;
    this.#getsEffects = driver instanceof DatabaseSync;
  }

  /** Runs a statement for its effect. */
  run(sql: string, ...values: Value[]): void {
    const statement = this.#statement(sql);
    if (this.#getsEffects) statement.get(...values);
    else statement.run(...values);
  }

  /** The first row, if any. The caller names the row's type, which is the statement's to know. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** The number that is all of the first row, if any: an array is made in half the time of an object with a name for it. */
  number(sql: string): number | undefined {
    const row = this.#arrayStatement(sql).get();
    return (Array.isArray(row) ? row[0] : Object.values(row ?? {})[0]) as number | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** Rows one by one, for who may stop early. The loop must not write to what it reads. */
  iterate<Row>(sql: string, ...values: Value[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as Iterable<Row>;
  }

  /** The same with rows as arrays, in the order of the columns: less than half the time and memory where rows are many. */
  iterateArrays<Row extends readonly Value[]>(sql: string, ...values: Value[]): Iterable<Row> {
    const statement = this.#arrayStatement(sql);
    const rows = statement.iterate(...values);
    // Drivers without this option, the first Node.js 22 among them, give objects. No generator around the others: it costs a step and an object a row.
    return (statement.setReturnArrays === undefined ? asArrays(rows) : rows) as Iterable<Row>;
  }

  #arrayStatement(sql: string): DriverStatement {
    let statement = this.#arrays.get(sql);
    if (statement === undefined) {
      this.#arrays.set(sql, (statement = plain(this.driver.prepare(sql))));
      statement.setReturnArrays?.(true);
    }
    return statement;
  }

  /** The prepared statement itself. */
  #statement(sql: string): DriverStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = plain(this.driver.prepare(sql))));
    return statement;
  }
}

function* asArrays(rows: Iterable<unknown>): Iterable<unknown> {
  for (const row of rows) yield Array.isArray(row) ? row : Object.values(row as object);
}

/** A caller's handle may read integers as BigInt and rows as arrays by default: that is for its own statements. */
function plain(statement: DriverStatement): DriverStatement {
  statement.setReadBigInts?.(false);
  statement.setReturnArrays?.(false);
  statement.safeIntegers?.(false);
  return statement;
}
