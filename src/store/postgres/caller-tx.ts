/** What a caller may give as `tx`: a client on which a transaction is open. A job in no transaction would stay when the caller's is rolled back. */
import { NightshiftError, show } from "../../errors/index.ts";
import type { PgQueryable } from "./driver.ts";

/** @throws NS_STORE_TX for a pool, for what is no client, and for a client that says that no transaction is open on it */
export async function callersClient(tx: unknown): Promise<PgQueryable> {
  if (!isQueryable(tx)) {
    const advice = "Give a pg client on which a transaction is open, or anything with its query(text, values).";
    throw new NightshiftError("NS_STORE_TX", `tx is ${show(tx)}. ${advice}`);
  }
  if (isPool(tx)) {
    const advice = "Take a client from it (pool.connect()), begin the transaction on that, and give that client.";
    throw new NightshiftError("NS_STORE_TX", `tx is a pool, whose queries belong to no transaction. ${advice}`);
  }
  if (!isIdle(tx)) return tx;
  // A begin may be on its way that nobody waited for: the status is as of the last answer.
  await tx.query("select 1", []);
  if (!isIdle(tx)) return tx;
  const advice = 'Run "begin" on it first, or leave tx out.';
  throw new NightshiftError("NS_STORE_TX", `No transaction is open on the client given as tx. ${advice}`);
}

export function isQueryable(value: unknown): value is PgQueryable {
  return typeof value === "object" && value !== null && "query" in value && typeof value.query === "function";
}

/** By its shape: the application's `pg` may be another copy than ours. */
function isPool(value: object): boolean {
  return "totalCount" in value && "idleCount" in value && "connect" in value;
}

/** Only newer versions of `pg` tell; what does not is believed. */
function isIdle(client: object): boolean {
  return (
    "getTransactionStatus" in client &&
    typeof client.getTransactionStatus === "function" &&
    client.getTransactionStatus() === "I"
  );
}
