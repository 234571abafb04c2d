/** Whether a caller's client and a store are connected to the same database of the same server. */

import { isQueryable } from "./caller-tx.ts";
import type { PgQueryable } from "./driver.ts";
import { run, type Session } from "./session.ts";

/** A server is told from others by when it started, to the microsecond: addresses differ with the way that leads there. */
const IDENTITY = `select pg_postmaster_start_time()::text || ' ' ||
  (select oid from pg_database where datname = current_database())::text as identity`;

/** What was asked before: a client stays with its server. */
const known = new WeakMap<object, string>();

/** True as well for what is no client, or cannot answer: that is another mistake, and told of where it is used. */
export async function isSameDatabase(session: Session, tx: unknown): Promise<boolean> {
  if (!isQueryable(tx)) return true;
  const theirs = known.get(tx) ?? (await askClient(tx));
  if (theirs === null || theirs === known.get(session)) return true;
  const [row] = await run(session, "identity", IDENTITY, []);
  const ours = row?.[0] ?? "";
  known.set(session, ours);
  return theirs === ours;
}

async function askClient(client: PgQueryable): Promise<string | null> {
  try {
    const [row] = (await client.query(IDENTITY)).rows as { readonly identity?: string }[];
    const identity = row?.identity ?? null;
    if (identity !== null) known.set(client, identity);
    return identity;
  } catch {
    return null; // a transaction that has failed already, say: enqueueing in it fails with the reason
  }
}
