/** Forgetting what only grows: minutes of the roll-up, ended terms of leadership, marks of imported jobs. */
import * as SQL from "./sql/sweep.ts";
import type { Transaction } from "./transaction.ts";

/** Names of instances stay: they share a table with those of queues and jobs, which processes remember by number. */
export function sweep(tx: Transaction, age: number, limit: number): number {
  const before = tx.at.now - age;
  const minutes = tx.on.all(SQL.SWEEP_ROLLUP, before, limit).length;
  const marks = tx.on.all(SQL.SWEEP_IMPORTED, before, limit).length;
  tx.on.run(SQL.RAISE_TERM_FLOOR);
  // What ended by being given up has no time; its token is kept in the floor, so it may go at once.
  const terms = tx.on.all(SQL.SWEEP_LEADERS, before, tx.at.tick - age, limit).length;
  return minutes + marks + terms;
}
