/** Options of the PostgreSQL store: what may be given, and what is made of it. */
import { NightshiftError, Problems, show } from "../../errors/index.ts";
import { type Duration, parseDuration } from "../../time/index.ts";
import type { PgPool } from "./driver.ts";
import { quoteIdentifier } from "./quote.ts";

/** Options of {@link postgres}. One of `connectionString` and `pool` is needed. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. The store then has a pool of its own. */
  readonly connectionString?: string;
  /** A `pg` pool of the application's. The store takes connections from it, keeps one for LISTEN, and never ends it. */
  readonly pool?: PgPool;
  /** The schema that holds the tables; created when missing. Default `nightshift`. */
  readonly schema?: string;
  /** The most connections of the store's own pool. Default 6. */
  readonly connections?: number;
  /** How long a statement may take. Default 30 s. */
  readonly statementTimeout?: Duration;
  /** How long calls wait for a server that cannot be reached, restarting say, before they reject. Default 10 s. */
  readonly patience?: Duration;
  /** Whether to create and migrate the tables on opening. Default `true`; `false` for a role that may not. */
  readonly migrate?: boolean;
  /**
   * The connections go through a pooler in transaction mode (PgBouncer): no prepared statements, no session settings,
   * and wake-ups by polling unless `listenConnectionString` leads past it. Default `false`.
   */
  readonly pooler?: boolean;
  /** A direct connection for LISTEN where the others go through a pooler. */
  readonly listenConnectionString?: string;
  /** How many days ahead partitions are made. Default 3. */
  readonly partitionsAhead?: number;
  /** The name that the server shows for the connections. Default `nightshift`. */
  readonly applicationName?: string;
}

const USUAL_SCHEMA = "nightshift";
export const KNOWN: readonly string[] = [
  ...["connectionString", "pool", "schema", "connections", "statementTimeout", "patience", "migrate", "pooler"],
  ...["listenConnectionString", "partitionsAhead", "applicationName"],
];

/** Options with nothing left open. */
export interface Settings {
  readonly connectionString: string | null;
  readonly pool: PgPool | null;
  readonly schema: string;
  /** The schema, quoted. */
  readonly quoted: string;
  readonly connections: number;
  readonly statementTimeout: number;
  readonly patience: number;
  readonly migrate: boolean;
  readonly pooler: boolean;
  readonly listenConnectionString: string | null;
  readonly partitionsAhead: number;
  readonly applicationName: string;
  /** `host:port/database`, and the schema unless it is the usual one; without secrets. */
  readonly location: string;
}

/**
 * What {@link postgres} takes: a URL, a `pg` pool, or options.
 *
 * @param what whose options they are, for messages
 */
export function settingsOf(given: string | PgPool | PostgresOptions, what = "postgres()"): Settings {
  const options: PostgresOptions =
    typeof given === "string" ? { connectionString: given } : isPool(given) ? { pool: given } : given;
  const problems = new Problems();
  problems.unknownOptions(what, options, KNOWN);
  const { connectionString = null, pool = null, schema = USUAL_SCHEMA, connections = 6, partitionsAhead = 3 } = options;
  if ((connectionString === null) === (pool === null)) {
    problems.add("NS_OPTION_INVALID", `${what}: give a connectionString or a pool, one of the two.`);
  }
  if (pool !== null && !isPool(pool)) {
    problems.add("NS_OPTION_INVALID", `${what}: pool is ${show(pool)}. Give a Pool of the package pg.`);
  }
  const inSchema = schema === USUAL_SCHEMA ? "" : ` (schema ${schema})`;
  const quoted = problems.attempt(() => quoteIdentifier(schema)) ?? "";
  whole(problems, `${what}: connections`, connections, 2, 1_000);
  whole(problems, `${what}: partitionsAhead`, partitionsAhead, 1, 30);
  const duration = (name: "statementTimeout" | "patience", value: Duration) =>
    problems.attempt(() => parseDuration(value, `${what}: ${name}`)) ?? 0;
  const settings: Settings = {
    connectionString,
    pool,
    schema,
    quoted,
    connections,
    partitionsAhead,
    statementTimeout: duration("statementTimeout", options.statementTimeout ?? "30s"),
    patience: duration("patience", options.patience ?? "10s"),
    migrate: options.migrate ?? true,
    pooler: options.pooler ?? false,
    listenConnectionString: options.listenConnectionString ?? null,
    applicationName: options.applicationName ?? "nightshift",
    location: `${problems.attempt(() => placeOf(connectionString, pool, what)) ?? ""}${inSchema}`,
  };
  problems.throwIfAny(what);
  return settings;
}

function isPool(value: unknown): value is PgPool {
  return typeof value === "object" && value !== null && "connect" in value && typeof value.connect === "function";
}

function whole(problems: Problems, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  problems.add("NS_OPTION_INVALID", `${name} is ${show(value)}. Give a whole number from ${min} to ${max}.`);
}

function placeOf(connectionString: string | null, pool: PgPool | null, what: string): string {
  if (connectionString === null) {
    const { host, port, database } = (pool?.options ?? {}) as { host?: string; port?: number; database?: string };
    return `${host ?? "localhost"}:${port ?? 5432}/${database ?? ""}`;
  }
  let url: URL;
  try {
    url = new URL(connectionString);
  } catch (cause) {
    // The value is not shown: it may hold a password.
    const advice = "Give postgres://user:password@host:port/database.";
    throw new NightshiftError("NS_OPTION_INVALID", `${what}: connectionString is not a URL. ${advice}`, { cause });
  }
  return `${url.hostname || "localhost"}:${url.port || 5432}${url.pathname}`;
}
