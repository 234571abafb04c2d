/** What is missing in a schema, as a script of plain SQL for a person who may make tables: the same steps, under the same lock. */
import { silentLogger } from "../../telemetry/index.ts";
import { systemClock } from "../../time/index.ts";
import { BRIEFLY } from "./brief-locks.ts";
import { Database } from "./database.ts";
import { migrations } from "./migrations.ts";
import { settingsOf } from "./options.ts";
import type { Value } from "./question.ts";

const LEDGER =
  "create table if not exists migration (number int primary key, name text not null, compatible boolean not null, applied_at timestamptz not null default clock_timestamp());";

/** Asks the database what it has, and writes nothing. @throws NS_STORE_UNAVAILABLE */
export async function postgresMigrationScript(connectionString: string, schema: string): Promise<string> {
  const settings = settingsOf({ connectionString, schema, connections: 2 });
  const database = await Database.create(settings, systemClock, silentLogger);
  const ask = (name: string, text: string, values: readonly Value[] = []) =>
    database.run({ name, text }, values, "always");
  try {
    const [found] = await ask("has_ledger", "select to_regclass($1) is not null", [`${settings.quoted}.migration`]);
    const rows = found?.[0] === "t" ? await ask("applied", `select number from ${settings.quoted}.migration`) : [];
    return scriptFor(schema, settings.quoted, new Set(rows.map(([number]) => Number(number))));
  } finally {
    await database.end();
  }
}

function scriptFor(schema: string, quoted: string, applied: ReadonlySet<number>): string {
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const missing = migrations.filter(({ number }) => !applied.has(number));
  if (missing.length === 0) return `-- The schema ${quoted} is up to date.\n`;
  const steps = missing.map(({ number, name, compatible, statements }) => {
    const row = `insert into migration (number, name, compatible) values (${number}, ${text(name)}, ${compatible});`;
    const body = statements.map((statement) => statement.trim().replace(/;?$/, ";")).join("\n\n");
    // First the number: who runs the script a second time fails here, before anything is made.
    return `-- ${number}: ${name}\n${row}\n${body}\n`;
  });
  return `begin;
select pg_advisory_xact_lock(hashtextextended(${text(`nightshift/migrate/${schema}`)}, 0));
create schema if not exists ${quoted};
set local search_path to ${quoted}, pg_temp;
-- Who waits for a lock has everybody else wait behind: this gives up instead, changes nothing, and may be run again.
set local lock_timeout = '${BRIEFLY}ms';
${LEDGER}

${steps.join("\n")}
commit;
`;
}
