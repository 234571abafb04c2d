/** A store whose server tells the plan of every statement it ran, those inside functions too, and what each read (auto_explain). */
import pg from "pg";
import { postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { postgresUrl } from "../../support/postgres.ts";

interface Step {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly Step[];
}

/** Rows that a statement read from a table, partitions apart, and how. */
export interface Read {
  readonly table: string;
  readonly rows: number;
  readonly how: string;
  readonly statement: string;
}

const WATCHING = [
  ...["session_preload_libraries=auto_explain", "client_min_messages=notice"],
  ...["auto_explain.log_min_duration=0", "auto_explain.log_nested_statements=on", "auto_explain.log_analyze=on"],
  ...["auto_explain.log_timing=off", "auto_explain.log_format=json", "auto_explain.log_level=notice"],
];

/** @param settings more of the server's settings, for the store's connections */
export async function watchedStore(schema: string, settings: readonly string[] = []) {
  const connectionString = await postgresUrl();
  const options = [...WATCHING, ...settings].map((setting) => `-c ${setting}`).join(" ");
  const pool = new pg.Pool({ connectionString, max: 4, options });
  let reads: Read[] = [];
  let statements = 0;
  pool.on("connect", (client) => {
    client.on("notice", ({ message }) => {
      const at = message?.indexOf("plan:\n") ?? -1;
      if (message === undefined || at < 0) return;
      const told = JSON.parse(message.slice(at + 6)) as { readonly "Query Text": string; readonly Plan: Step };
      statements++;
      reads.push(...readsOf(told.Plan, told["Query Text"].trim()));
    });
  });
  const store = postgres({ pool, schema });
  await store.open({ clock: systemClock, logger: silentLogger });
  return {
    store,
    /** What `work` read, and by how many statements. */
    async during(
      work: () => Promise<unknown>,
    ): Promise<{ readonly reads: readonly Read[]; readonly statements: number }> {
      reads = [];
      statements = 0;
      await work();
      return { reads, statements };
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await pool.end();
    },
  };
}

function readsOf(step: Step, statement: string): Read[] {
  const below = (step.Plans ?? []).flatMap((one) => readsOf(one, statement));
  const table = step["Relation Name"];
  if (table === undefined || step["Node Type"] === "ModifyTable") return below;
  const each =
    (step["Actual Rows"] ?? 0) + (step["Rows Removed by Filter"] ?? 0) + (step["Rows Removed by Index Recheck"] ?? 0);
  const how = [step["Node Type"], step["Index Name"]].filter((word) => word !== undefined).join(" by ");
  return [{ table, rows: each * (step["Actual Loops"] ?? 1), how, statement }, ...below];
}
