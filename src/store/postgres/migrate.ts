/** Brings a schema to the version that this library knows, safely beside other processes and other versions. */
import { NightshiftError } from "../../errors/index.ts";
import type { StoreContext } from "../contract.ts";
import { BRIEFLY, BriefLocks } from "./brief-locks.ts";
import type { Database } from "./database.ts";
import type { Row } from "./driver.ts";
import { type Migration, migrations } from "./migrations.ts";
import type { Value } from "./question.ts";

type Query = (text: string, values?: readonly Value[]) => Promise<readonly Row[]>;

/** The oldest server that the statements were written for. */
const OLDEST_SERVER = 140_000;
/** How long to wait at a time for another process that migrates, in milliseconds: nobody waits behind that. */
const ITS_TURN = 2_000;

/**
 * Creates or migrates the schema. Returns the server's version.
 *
 * @throws NS_STORE_UNSUPPORTED, NS_STORE_FOREIGN, NS_STORE_VERSION, NS_STORE_UNAVAILABLE, NS_STORE_BUSY
 */
export async function migrate(
  database: Database,
  context: StoreContext,
  steps: readonly Migration[] = migrations,
): Promise<string> {
  const { settings } = database;
  const [row] = await database.run(
    {
      name: "version",
      text: "select current_setting('server_version_num'), current_setting('server_version'), to_regclass($1) is not null",
    },
    [`${settings.quoted}.migration`],
    "always",
  );
  const [number = "0", version = ""] = row ?? [];
  if (Number(number) < OLDEST_SERVER) {
    const message = `PostgreSQL at ${settings.location} is ${version}. Nightshift needs 14 or newer.`;
    throw new NightshiftError("NS_STORE_UNSUPPORTED", message, { details: { version } });
  }
  const applied = row?.[2] === "t" ? await appliedIn(database) : [];
  if (isCurrent(steps, applied, settings.schema)) return version ?? "";
  if (!settings.migrate) {
    const latest = steps.at(-1)?.number;
    const found = applied.at(-1)?.number;
    const what =
      found === undefined
        ? `${settings.location} has no tables of Nightshift's in the schema ${settings.quoted}, and they are not to be made here (migrate is false).`
        : `The schema ${settings.quoted} at ${settings.location} is at migration ${found} and this version needs ${latest}, which is not to be run here (migrate is false).`;
    const message = `${what} Is it the right schema? Then run nightshift migrate with a role that may create tables.`;
    throw new NightshiftError("NS_STORE_VERSION", message);
  }
  const locks = new BriefLocks(database, context);
  await database.transaction("if-refused", async (query) => {
    // The pauses between its tries are pauses inside this transaction.
    await query("set local statement_timeout = '10min'; set local idle_in_transaction_session_timeout = '1min'");
    // One process migrates, the others wait here and then find it done.
    const turn = `nightshift/migrate/${settings.schema}`;
    await locks.through(query, ITS_TURN, () => query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [turn]));
    await locks.through(query, BRIEFLY, () => bringUp(query, steps, settings.schema, settings.quoted));
  });
  return version ?? "";
}

interface Applied {
  readonly number: number;
  readonly compatible: boolean;
}

async function appliedIn(database: Database): Promise<readonly Applied[]> {
  const text = `select number, compatible from ${database.settings.quoted}.migration order by number`;
  return (await database.run({ name: "applied", text }, [], "always")).map(toApplied);
}

function toApplied(row: Row): Applied {
  return { number: Number(row[0]), compatible: row[1] === "t" };
}

/** Whether nothing is to be done. Throws when the schema is ahead of us in a way that we cannot work with. */
function isCurrent(steps: readonly Migration[], applied: readonly Applied[], schema: string): boolean {
  const known = steps.at(-1)?.number ?? 0;
  const beyond = applied.find(({ number, compatible }) => number > known && !compatible);
  if (beyond !== undefined) {
    const message = `The schema ${JSON.stringify(schema)} is at migration ${beyond.number}; this library knows ${known}. Update nightshift here before going on.`;
    throw new NightshiftError("NS_STORE_VERSION", message, { details: { found: beyond.number, known } });
  }
  return steps.every(({ number }) => applied.some((done) => done.number === number));
}

async function bringUp(query: Query, steps: readonly Migration[], schema: string, quoted: string): Promise<void> {
  const [state] = await query(
    `select to_regnamespace($1) is not null, to_regclass($2) is not null,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $3)`,
    [quoted, `${quoted}.migration`, schema],
  );
  if (state?.[1] !== "t") {
    if (state?.[2] === "t") {
      const advice = "Give another schema name.";
      throw new NightshiftError(
        "NS_STORE_FOREIGN",
        `The schema ${quoted} holds tables that are not Nightshift's. ${advice}`,
      );
    }
    if (state?.[0] !== "t") await query(`create schema ${quoted}`);
  }
  await query(`set local search_path to ${quoted}, pg_temp`);
  if (state?.[1] !== "t") {
    await query(
      "create table migration (number int primary key, name text not null, compatible boolean not null, applied_at timestamptz not null default clock_timestamp())",
    );
  }
  const applied = (await query("select number, compatible from migration order by number")).map(toApplied);
  if (isCurrent(steps, applied, schema)) return;
  for (const { number, name, compatible, statements } of steps) {
    if (applied.some((done) => done.number === number)) continue;
    for (const statement of statements) await query(statement);
    await query("insert into migration (number, name, compatible) values ($1, $2, $3)", [number, name, compatible]);
  }
}
