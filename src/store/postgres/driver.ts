/** What this store needs of `pg`, and how it is loaded: an optional peer, asked for when a store is opened. */
import { NightshiftError } from "../../errors/index.ts";

/** The oldest `pg`, as package.json says: major, minor. */
const OLDEST = [8, 11] as const;

/** Anything that runs a statement as `pg` does: what {@link EnqueueOptions.tx} must be. */
export interface PgQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A `pg` client, as far as it is used here. */
export interface PgClient {
  connect?(): Promise<unknown>;
  query(config: QueryConfig): Promise<{ readonly rows: readonly Row[] }>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "notification", listener: (message: { channel: string; payload?: string | undefined }) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** A client of a pool. Releasing it with an error closes it. */
export interface PgPoolClient extends PgClient {
  release(error?: Error | boolean): void;
}

/** A `pg` pool, as far as it is used here. */
export interface PgPool {
  connect(callback: (error: Error | undefined, client: PgPoolClient | undefined) => void): void;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  readonly options?: unknown;
  /** How many wait for a connection. */
  readonly waitingCount?: number;
}

/**
 * A connection of a pool, with a listener for its errors from the first moment. By callback and not by promise: the last
 * answer and the server's farewell may arrive in one packet, and an error that nobody listens for ends the process.
 * Whoever lets go of a broken connection leaves the listener on it.
 */
export function checkOut(pool: PgPool, broke: (error: Error) => void = ignoreError): Promise<PgPoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined || error) return reject(error ?? new Error("The pool gave no connection."));
      client.on("error", broke);
      resolve(client);
    });
  });
}

/** What {@link checkOut} listens with unless it is told; the statement under way rejects by itself. */
export function ignoreError(): void {
  // Nothing to do: the connection is replaced by its pool.
}

/** Rows come as arrays of PostgreSQL's own text: numbers beyond 2^53 stay exact, and nothing is parsed for nothing. */
export type Row = readonly (string | null)[];

export interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
  readonly rowMode?: "array";
  readonly types?: unknown;
  readonly query_timeout?: number;
}

export interface PgModule {
  readonly Client: new (config: object) => object;
  readonly Pool: new (options: object) => PgPool;
}

/**
 * Loads `pg`.
 *
 * @throws NS_STORE_UNSUPPORTED when it is not installed, or too old
 */
export async function loadPg(): Promise<PgModule> {
  let module: unknown;
  try {
    module = await import("pg" as string);
  } catch (cause) {
    const advice = "Install it beside nightshift: npm install pg";
    throw new NightshiftError("NS_STORE_UNSUPPORTED", `The PostgreSQL store needs the package pg. ${advice}`, {
      cause,
    });
  }
  const version = await installedVersion();
  if (version !== null) refuseOld(version);
  return (module as { default: PgModule }).default;
}

/**
 * Older ones wait for ever on today's Node.js when they connect, and say nothing.
 *
 * @throws NS_STORE_UNSUPPORTED
 */
export function refuseOld(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  const message = `The package pg is ${version} here. The PostgreSQL store needs ${OLDEST.join(".")} or newer: npm install pg@latest`;
  throw new NightshiftError("NS_STORE_UNSUPPORTED", message, { details: { version } });
}

/** Null where it cannot be known: bundled into one file with the application, say. */
async function installedVersion(): Promise<string | null> {
  try {
    const { default: about } = await import("pg/package.json" as string, { with: { type: "json" } });
    const { version } = about as { version?: unknown };
    return typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}
