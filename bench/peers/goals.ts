/** What Nightshift is to reach, and whether it does: judged from the figures of the same run. */
import { show } from "../report.ts";
import type { Notebook } from "./notebook.ts";
import { SYSTEMS, type SystemKey } from "./systems/index.ts";
import { titleOf, unitOf, type Workload } from "./workloads.ts";

/** A goal judged. */
interface Judged {
  readonly got: string;
  readonly met: boolean;
}

interface Goal {
  readonly measure: string;
  readonly goal: string;
  /** Undefined where a figure is missing. */
  judge(notes: Notebook): Judged | undefined;
}

const PG = "nightshift-postgres";
const FILE = "nightshift-sqlite";
const NORMAL = "nightshift-sqlite-normal";
const PG_PEERS = ["graphile", "graphile-tuned", "pg-boss", "pg-boss-batched", "pg-boss-fetch"] as const;

const GOALS: readonly Goal[] = [
  times("drain", PG, 2.5, ["graphile-tuned"]),
  times("drain", PG, 2, PG_PEERS, "the fastest PostgreSQL peer"),
  times("drain", PG, 3, ["bullmq"]),
  times("drain", PG, 0.75, ["limit-postgres"]),
  times("drain", PG, 0.75, ["limit-postgres-returning"]),
  times("drainTwo", PG, 2, ["graphile-tuned"]),
  times("sustained", PG, 8, PG_PEERS, "the best PostgreSQL peer"),
  times("sustained", PG, 1, ["bullmq"]),
  times("one", PG, 0.9, ["limit-pgbench"]),
  times("one", PG, 0.9, ["limit-postgres"], "one-row commits from Node"),
  times("hundred", PG, 10, PG_PEERS, "the best PostgreSQL peer"),
  times("hundred", PG, 1, ["bullmq"]),
  times("bulk", PG, 0.5, ["limit-postgres"], "inserts of 1,000 rows from Node"),
  times("drain", FILE, 6, ["plainjob"]),
  times("drain", FILE, 200, ["sidequest"]),
  times("drain", FILE, 0.5, ["limit-sqlite"]),
  share("drain, 4 processes on one file", FILE, "drainFour", "drain", 0.8, "1 process"),
  allHandled("SQLite: nothing lost with 1, 2 and 4 processes", FILE, "drain"),
  allHandled("PostgreSQL: nothing lost with 1, 2 and 4 processes", PG, "drain"),
  times("one", FILE, 0.8, ["limit-sqlite"], "one-row transactions (FULL)"),
  times("one", NORMAL, 0.8, ["limit-sqlite-normal"], "one-row transactions (NORMAL)"),
  share("enqueue, 100 concurrent", FILE, "hundred", "one", 10, "one by one"),
  ...([PG, FILE] as const).flatMap((key) => [atMost("p50", key, 1), atMost("p99", key, 5)]),
  atMost("otherP50", PG, 2.3),
  atMost("otherP50", FILE, 1.5),
  share("drain with 2,000,000 other jobs in the tables", PG, "crowded", "alone", 0.9, "empty tables"),
  share("drain with 2,000,000 other jobs in the tables", FILE, "crowded", "alone", 0.9, "empty tables"),
  share("drain with a snapshot held for 90 s", PG, "held", "clean", 0.5, "without"),
  atMost("wal", PG, 1_100),
  atMost("idleNode", PG, 1.5),
  atMost("idleServer", PG, 2),
  atMost("idleStatements", PG, 1),
  atMost("idleNode", FILE, 1.5),
  ...([PG, FILE] as const).flatMap((key) => [atMost("millionPeak", key, 140), atMost("millionGrowth", key, 1.1)]),
];

/** A table in Markdown. */
export function goalsTable(notes: Notebook): readonly string[] {
  const rows = GOALS.map(({ measure, goal, judge }) => {
    const judged = judge(notes);
    return `| ${measure} | ${goal} | ${judged?.got ?? "not measured"} | ${judged === undefined ? "" : judged.met ? "met" : "**not met**"} |`;
  });
  return ["| measure | goal | got | |", "|---|---|---|---|", ...rows];
}

/** At least so many times what the best of some others does. */
function times(workload: Workload, ours: SystemKey, factor: number, others: readonly SystemKey[], name?: string): Goal {
  return {
    measure: measureOf(workload, ours),
    goal: `≥ ${factor} × ${name ?? others.map((key) => SYSTEMS[key].label).join(", ")}`,
    judge(notes) {
      const mine = notes.figure(workload, ours)?.median;
      const theirs = others.flatMap((key) => notes.figure(workload, key)?.median ?? []);
      return mine === undefined || theirs.length === 0 ? undefined : ratio(mine, Math.max(...theirs), factor);
    },
  };
}

/** At least such a share of what the same system does in another workload. */
function share(
  measure: string,
  key: SystemKey,
  workload: Workload,
  beside: Workload,
  factor: number,
  name: string,
): Goal {
  return {
    measure: `${storeOf(key)}: ${measure}`,
    goal: `≥ ${factor} × ${name}`,
    judge(notes) {
      const mine = notes.figure(workload, key)?.median;
      const other = notes.figure(beside, key)?.median;
      return mine === undefined || other === undefined ? undefined : ratio(mine, other, factor);
    },
  };
}

function atMost(workload: Workload, key: SystemKey, limit: number): Goal {
  const unit = unitOf(workload);
  return {
    measure: measureOf(workload, key),
    goal: `≤ ${limit.toLocaleString("en-US")} ${unit}`,
    judge(notes) {
      const mine = notes.figure(workload, key)?.median;
      return mine === undefined ? undefined : { got: `${show(mine)} ${unit}`, met: mine <= limit };
    },
  };
}

function allHandled(measure: string, key: SystemKey, scene: string): Goal {
  return {
    measure,
    goal: "all handled",
    judge(notes) {
      const tally = notes.tally(scene, key);
      if (tally === undefined) return undefined;
      const [handled, stored] = [tally.handled.toLocaleString("en-US"), tally.stored.toLocaleString("en-US")];
      return { got: `${handled} of ${stored}`, met: tally.handled === tally.stored };
    },
  };
}

function ratio(mine: number, other: number, factor: number): Judged {
  return { got: `${(mine / other).toFixed(2)} × (${show(mine)} / ${show(other)})`, met: mine >= factor * other };
}

function measureOf(workload: Workload, key: SystemKey): string {
  return `${storeOf(key)}: ${titleOf(workload)}`;
}

function storeOf(key: SystemKey): string {
  if (key === NORMAL) return "SQLite, normal";
  return SYSTEMS[key].kind === "sqlite" ? "SQLite" : "PostgreSQL";
}
