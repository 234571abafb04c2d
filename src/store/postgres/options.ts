/** Options of the PostgreSQL store: what may be given, and what is made of it. */
import { NightshiftError, Problems, show } from "../../errors/index.ts";
import { isFlag, isWhole, textOf } from "../../errors/option-checks.ts";
import type { Duration } from "../../time/index.ts";
import { patienceOf } from "../shared/patience.ts";
import type { PgPool } from "./driver.ts";
import { quoteIdentifier } from "./quote.ts";

/** Options of {@link postgres} that are the same for one database and for several. */
export interface PostgresCommonOptions {
  /** The schema that holds the tables; created when missing, for which the role needs `create` on the database. Default `nightshift`. */
  readonly schema?: string;
  /** The most connections of the store's own pool, 2 to 1,000, opened as they are needed. Of no effect with `pool`. Default 6. */
  readonly connections?: number;
  /**
   * How long a statement may take on the server before it rejects with NS_STORE_BUSY; five seconds later a connection that
   * says nothing is given up. `"30s"` or milliseconds, from 1 ms to 24 days. Behind a pooler set it for the role. Default 30 s.
   */
  readonly statementTimeout?: Duration;
  /**
   * How long calls wait for a server that cannot be reached, restarting say, before they reject with NS_STORE_UNAVAILABLE;
   * 0 for not at all. `"10s"` or milliseconds. The log has a line after a second. Default 10 s.
   */
  readonly patience?: Duration;
  /**
   * Whether to create and migrate the tables on opening. `false` for a role that may not: opening rejects with
   * NS_STORE_VERSION until `nightshift migrate` was run. Default `true`.
   */
  readonly migrate?: boolean;
  /**
   * The connections go through a pooler in transaction mode (PgBouncer): no prepared statements, no session settings,
   * and wake-ups by polling unless `listenConnectionString` leads past it. Default `false`.
   */
  readonly pooler?: boolean;
  /** How many days ahead partitions are made, 1 to 30. Default 3. */
  readonly partitionsAhead?: number;
  /** The name that the server shows for the connections, in `pg_stat_activity`. Default `nightshift`. */
  readonly applicationName?: string;
}

/** Options of {@link postgres} with one database. One of `connectionString` and `pool` is needed. */
export interface PostgresOptions extends PostgresCommonOptions {
  /**
   * `postgres://user:password@host:port/database`, special characters of the password escaped (`%40` for @). The store
   * then has a pool of its own. What is left out comes from PGUSER, PGPASSWORD and so on.
   */
  readonly connectionString?: string;
  /** A `pg` pool of the application's. The store takes connections from it, keeps one for LISTEN, and never ends it. */
  readonly pool?: PgPool;
  /** A URL past the pooler, for one connection that listens for wake-ups. Default: none; with `pooler` the store then polls each second. */
  readonly listenConnectionString?: string;
}

const USUAL_SCHEMA = "nightshift";
export const KNOWN: readonly string[] = [
  ...["connectionString", "pool", "schema", "connections", "statementTimeout", "patience", "migrate", "pooler"],
  ...["listenConnectionString", "partitionsAhead", "applicationName"],
];

/** Those that `pg` understands; it would take any other for a host's name as well. */
const PROTOCOLS: readonly string[] = ["postgres:", "postgresql:", "socket:"];

/** What only several databases have beside those: `postgres({ shards })`. */
export const SHARDS_ONLY: readonly string[] = ["shards", "queues", "leader"];

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
 * @param elsewhere names that are options, but not of these
 */
export function settingsOf(
  given: string | PgPool | PostgresOptions,
  what = "postgres()",
  elsewhere: readonly string[] = SHARDS_ONLY,
): Settings {
  const problems = new Problems();
  const options: PostgresOptions =
    typeof given === "string" ? { connectionString: given } : isPool(given) ? { pool: given } : given;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const advice = "Give postgres://user:password@host:port/database, a Pool of the package pg, or options.";
    throw new NightshiftError("NS_OPTION_INVALID", `${what} got ${show(options)}. ${advice}`);
  }
  problems.unknownOptions(what, options, KNOWN, elsewhere);
  const { connectionString = null, pool = null, schema = USUAL_SCHEMA, connections = 6, partitionsAhead = 3 } = options;
  if ((connectionString === null) === (pool === null) && !problems.found.some(namesTheServer)) {
    const unset = connectionString === null && "connectionString" in options;
    const message = unset
      ? `connectionString is ${show(options.connectionString)}. Give postgres://user:password@host:port/database.`
      : "give a connectionString or a pool, one of the two.";
    problems.add("NS_OPTION_INVALID", `${what}: ${message}`);
  }
  if (pool !== null && !isPool(pool)) {
    problems.add("NS_OPTION_INVALID", `${what}: pool is ${show(pool)}. Give a Pool of the package pg.`);
  }
  const inSchema = schema === USUAL_SCHEMA ? "" : ` (schema ${schema})`;
  const quoted = problems.attempt(() => quoteIdentifier(schema)) ?? "";
  isWhole(connections, 2, 1_000, `${what}: connections`, problems);
  isWhole(partitionsAhead, 1, 30, `${what}: partitionsAhead`, problems);
  const { migrate = true, pooler = false, listenConnectionString = null, applicationName = "nightshift" } = options;
  isFlag(migrate, `${what}: migrate`, problems);
  isFlag(pooler, `${what}: pooler`, problems);
  textOf(applicationName, `${what}: applicationName`, "nightshift", problems);
  if (listenConnectionString !== null) {
    problems.attempt(() => urlOf(listenConnectionString, `${what}: listenConnectionString`));
  }
  const statementTimeout = patienceOf(options.statementTimeout ?? "30s", `${what}: statementTimeout`, problems);
  // The server takes 0 for no limit at all.
  if (statementTimeout === 0 && problems.found.length === 0) {
    problems.add(
      "NS_OPTION_INVALID",
      `${what}: statementTimeout is 0. Every statement has a limit: give 1 ms or more.`,
    );
  }
  const settings: Settings = {
    connectionString,
    pool,
    schema,
    quoted,
    connections,
    partitionsAhead,
    statementTimeout,
    patience: patienceOf(options.patience ?? "10s", `${what}: patience`, problems),
    migrate,
    pooler,
    listenConnectionString,
    applicationName,
    location: `${problems.attempt(() => placeOf(connectionString, pool, what)) ?? ""}${inSchema}`,
  };
  problems.throwIfAny(what);
  return settings;
}

function isPool(value: unknown): value is PgPool {
  return typeof value === "object" && value !== null && "connect" in value && typeof value.connect === "function";
}

/** A mistyped name of what says where the server is: that it is missing then needs no second sentence. */
function namesTheServer({ code, message }: NightshiftError): boolean {
  return code === "NS_OPTION_UNKNOWN" && /Did you mean "(?:connectionString|pool|shards)"/.test(message);
}

function placeOf(connectionString: string | null, pool: PgPool | null, what: string): string {
  if (connectionString === null) {
    const { host, port, database } = (pool?.options ?? {}) as { host?: string; port?: number; database?: string };
    return `${host ?? "localhost"}:${port ?? 5432}/${database ?? ""}`;
  }
  const url = urlOf(connectionString, `${what}: connectionString`);
  return `${url.hostname || "localhost"}:${url.port || 5432}${url.pathname}`;
}

const ESCAPES = "In a password, write @ as %40, / as %2F, # as %23, % as %25.";

/** @throws NS_OPTION_INVALID; the value is not shown, since it may hold a password */
function urlOf(value: unknown, what: string): URL {
  const advice = "Give postgres://user:password@host:port/database.";
  if (typeof value !== "string") {
    throw new NightshiftError("NS_OPTION_INVALID", `${what} is ${show(value)}. ${advice}`);
  }
  let url: URL;
  try {
    url = new URL(value);
  } catch (cause) {
    throw new NightshiftError("NS_OPTION_INVALID", `${what} is not a URL. ${advice} ${ESCAPES}`, { cause });
  }
  if (url.pathname.includes("@")) {
    const message = `${what} has an @ behind its host: some of the password was taken for it. ${ESCAPES}`;
    throw new NightshiftError("NS_OPTION_INVALID", message);
  }
  if (PROTOCOLS.includes(url.protocol)) return url;
  throw new NightshiftError("NS_OPTION_INVALID", `${what} begins with ${show(url.protocol)}. ${advice}`);
}
