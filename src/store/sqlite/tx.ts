/** Enqueueing inside a caller's own transaction: on the caller's own handle, on the same file, in an open transaction. */
import { NightshiftError, show } from "../../errors/index.ts";
import { Connection, type Driver } from "./connection.ts";
import { type FileIdentity, identityOf, sameFile } from "./file.ts";

/** The first statement on every handle. */
const DATABASES = "PRAGMA database_list";

/** The connections made for callers' handles, so that their statements stay prepared as long as the handle lives. */
export class CallersConnections {
  readonly #connections = new WeakMap<object, Connection>();
  readonly #path: string;
  readonly #file: FileIdentity | null;

  constructor(path: string) {
    this.#path = path;
    this.#file = identityOf(path);
  }

  /**
   * The connection to write on.
   *
   * @throws NS_STORE_TX when it is no handle, has another file open, or is in no transaction
   */
  of(tx: unknown): Connection {
    if (!isDriver(tx)) {
      return refuse(
        `tx is ${show(tx)}. Pass the DatabaseSync handle of node:sqlite on which your transaction is open.`,
      );
    }
    let connection = this.#connections.get(tx);
    if (connection === undefined || !isUsable(connection)) {
      connection = new Connection(tx);
      this.#checkFile(connection);
      this.#connections.set(tx, connection);
    }
    if (!isInTransaction(tx)) {
      return refuse(`No transaction is open on the handle given as tx. Run BEGIN IMMEDIATE first, or leave tx out.`);
    }
    return connection;
  }

  #checkFile(connection: Connection): void {
    const databases = connection.all<{ name: string; file: string | null }>(DATABASES);
    const file = databases.find(({ name }) => name === "main")?.file ?? "";
    if (file !== "" && sameFile(identityOf(file), this.#file)) return;
    const has = file === "" ? "has an in-memory database open" : `has ${file} open`;
    refuse(
      `The handle given as tx ${has}, but this store is ${this.#path}. Both must be the same file to share a transaction.`,
    );
  }
}

/** A handle that was closed and opened again has forgotten its statements, the first one too. */
function isUsable(connection: Connection): boolean {
  try {
    connection.get(DATABASES);
    return true;
  } catch {
    return false; // whatever is wrong with the handle shows again when it is looked at afresh
  }
}

function isDriver(tx: unknown): tx is Driver {
  if (typeof tx !== "object" || tx === null) return false;
  return "prepare" in tx && typeof tx.prepare === "function" && "exec" in tx && typeof tx.exec === "function";
}

function isInTransaction(tx: Driver): boolean {
  if ("isTransaction" in tx) return tx.isTransaction === true;
  if ("inTransaction" in tx) return tx.inTransaction === true;
  // Older versions of node:sqlite do not tell; but a BEGIN inside a transaction fails.
  try {
    tx.exec("BEGIN");
  } catch {
    return true;
  }
  tx.exec("ROLLBACK");
  return false;
}

function refuse(message: string): never {
  throw new NightshiftError("NS_STORE_TX", message);
}
