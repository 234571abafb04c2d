/** Who leads: a row per role, under the write lock. */
import type { Term } from "../contract.ts";
import { parseId } from "./ids.ts";
import type { Expiry } from "./machine.ts";
import { ALL_TERMS, BEGIN_TERM, CURRENT_TERM, END_TERM, EXTEND_TERM } from "./sql/leadership.ts";
import type { Transaction } from "./transaction.ts";

interface TermRow extends Expiry {
  readonly token: number;
  readonly holder: string;
}

export function campaign(tx: Transaction, role: string, holder: string, ttl: number): Term | null {
  const current = tx.on.get<TermRow>(CURRENT_TERM, role);
  if (current !== undefined && !tx.machine.isOver(current, tx.at)) return null;
  const row = tx.on.get<{ token: number }>(BEGIN_TERM, role, holder, ...until(tx, ttl));
  return { role, token: String(row?.token), holder, ttl };
}

export function renew(tx: Transaction, role: string, token: string, ttl: number): boolean {
  const current = tx.on.get<TermRow>(CURRENT_TERM, role);
  if (current === undefined || String(current.token) !== token || tx.machine.isOver(current, tx.at)) return false;
  tx.on.run(EXTEND_TERM, ...until(tx, ttl), role);
  return true;
}

export function resign(tx: Transaction, role: string, token: string): void {
  const number = parseId(token);
  if (number !== null) tx.on.run(END_TERM, role, number);
}

export function leaders(tx: Pick<Transaction, "on" | "machine" | "at">) {
  const terms = tx.on.all<TermRow & { readonly role: string }>(ALL_TERMS);
  const held = terms.filter((term) => !tx.machine.isOver(term, tx.at));
  return held.map(({ role, holder, token }) => ({ role, holder, token: String(token) }));
}

function until(tx: Transaction, ttl: number): [at: number, tick: number, boot: string] {
  return [Math.round(tx.at.now + ttl), Math.round(tx.at.tick + ttl), tx.machine.mark.boot];
}
