/** `nightshift backup`, `check`, `migrate` and `stats`. */
import { NightshiftError } from "../errors/index.ts";
import type { Finding, Store, StoreContext } from "../store/contract.ts";
import { postgresMigrationScript } from "../store/postgres/script.ts";
import { backupSqlite } from "../store/sqlite/backup.ts";
import { sqliteMigrationScript } from "../store/sqlite/migrate.ts";
import { leveledLogger } from "../telemetry/index.ts";
import { systemClock } from "../time/index.ts";
import { readAddress, storeAt } from "./address.ts";
import { type Arguments, type Command, needed, noPositionals, readArguments, type Terminal } from "./command.ts";
import { placeText, readStats, statsText } from "./stats.ts";

const BACKUP_USAGE = `nightshift backup --store sqlite:shop.db --to copy.db
  Copies the file as it is at one moment, while processes work on it; the copy is checked. For PostgreSQL use pg_dump.`;

export const backupCommand: Command = {
  about: "a copy of an SQLite store, while it works",
  usage: BACKUP_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "to"] }, BACKUP_USAGE);
    noPositionals(given, BACKUP_USAGE);
    const address = readAddress(needed(given, "store", BACKUP_USAGE), undefined);
    if (address.kind !== "sqlite") {
      const advice = "Use pg_dump --schema=nightshift, or the server's own backup.";
      throw new NightshiftError("NS_STORE_UNSUPPORTED", `PostgreSQL has backups of its own. ${advice}`);
    }
    const to = needed(given, "to", BACKUP_USAGE);
    const { bytes } = await backupSqlite(address.path, to);
    terminal.say(`${to}: ${bytes} bytes, checked.`);
    return 0;
  },
};

const CHECK_USAGE = `nightshift check --store sqlite:shop.db [--schema name] [--json]
  Looks through all of a store: the database's own check, and what must hold of jobs, leases and history. Ends with 1 when
  something is damaged.`;

export const checkCommand: Command = {
  about: "whether a store is whole",
  usage: CHECK_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema"], flags: ["json"] }, CHECK_USAGE);
    return withStore(given, CHECK_USAGE, terminal, async (store) => {
      const { jobs, findings } = await store.verify();
      const all = [...findings, ...(await store.findings())];
      if (given.flag("json")) await terminal.write(`${JSON.stringify({ jobs, findings: all }, null, 2)}\n`);
      else await terminal.write(checkText(store, jobs, all));
      return all.some(({ severity }) => severity === "damage") ? 1 : 0;
    });
  },
};

function checkText(store: Store, jobs: number, findings: readonly Finding[]): string {
  const lines = findings.map(({ severity, message }) => `${severity === "damage" ? "DAMAGE " : "warning"}  ${message}`);
  const summary = findings.some(({ severity }) => severity === "damage") ? "damaged" : "whole";
  return `${[...lines, `${store.info().location}: ${jobs} jobs looked at, the store is ${summary}.`].join("\n")}\n`;
}

const MIGRATE_USAGE = `nightshift migrate --store postgres://owner@db/shop [--schema name] [--print]
  Creates or updates the tables, as a step of its own for applications whose role may not.
  --print   only prints the SQL that is missing, for somebody else to run (for SQLite, all of it)`;

export const migrateCommand: Command = {
  about: "creates or updates the tables",
  usage: MIGRATE_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema"], flags: ["print"] }, MIGRATE_USAGE);
    noPositionals(given, MIGRATE_USAGE);
    const address = readAddress(needed(given, "store", MIGRATE_USAGE), given.value("schema"));
    if (given.flag("print")) {
      if (address.kind === "shards") {
        const advice = "Print it for each of them: --store postgres://...";
        throw new NightshiftError("NS_STORE_UNSUPPORTED", `Each database has its own migrations. ${advice}`);
      }
      const { kind } = address;
      const script = kind === "sqlite" ? sqliteMigrationScript() : postgresMigrationScript(address.url, address.schema);
      await terminal.write(await script);
      return 0;
    }
    const store = storeAt(address, { existing: false, patient: true });
    await store.open(contextOf(terminal));
    const place = placeText(store.info());
    await store.close();
    terminal.say(`${place} is up to date.`);
    return 0;
  },
};

const STATS_USAGE = `nightshift stats --store sqlite:shop.db [--schema name] [--json]
  Queues, states, the oldest waiting job, schedules, processes, and what is not as it should be.`;

export const statsCommand: Command = {
  about: "what a store holds and who works on it",
  usage: STATS_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema"], flags: ["json"] }, STATS_USAGE);
    return withStore(given, STATS_USAGE, terminal, async (store) => {
      const stats = await readStats(store);
      await terminal.write(given.flag("json") ? `${JSON.stringify(stats, null, 2)}\n` : statsText(stats));
      return 0;
    });
  },
};

/** Opens the store that was named, which must be there. */
export async function withStore(
  given: Arguments,
  usage: string,
  terminal: Terminal,
  work: (store: Store) => Promise<number>,
): Promise<number> {
  noPositionals(given, usage);
  const address = readAddress(needed(given, "store", usage), given.value("schema"));
  const store = storeAt(address, { existing: true, patient: true });
  await store.open(contextOf(terminal));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What a store warns of while it is opened, that it waits for its server say. What fails is told by the command itself. */
function contextOf(terminal: Terminal): StoreContext {
  const logger = leveledLogger("warn", ({ level, message }) => {
    if (level === "warn") terminal.say(message);
  });
  return { clock: systemClock, logger };
}
