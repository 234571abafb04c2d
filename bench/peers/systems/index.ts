/** The systems by their keys. Each is loaded only in a process of its own. */
import type { Open } from "../system.ts";

/** What a system keeps its jobs in, hence what place it is given. */
export type Kind = "postgres" | "sqlite" | "redis" | "redis-aof";

export interface Entry {
  readonly label: string;
  readonly kind: Kind;
  readonly load: () => Promise<Open>;
  /** The workloads that it takes part in; all by default. */
  readonly only?: readonly ("enqueue" | "drain")[];
  /** How many calls of 10,000 it is given to drain. Default 4; none for those without a bulk enqueue. */
  readonly calls?: number;
}

const graphile = () => import("./graphile-worker.ts");
const nightshift = () => import("./nightshift.ts");
const pgBoss = () => import("./pg-boss.ts");
const limits = () => import("./limits.ts");
const bullmq = async () => (await import("./bullmq.ts")).open;

export const SYSTEMS: Readonly<Record<string, Entry>> = {
  "nightshift-postgres": {
    label: "Nightshift, PostgreSQL",
    kind: "postgres",
    load: async () => (await nightshift()).onPostgres,
  },
  graphile: { label: "graphile-worker, default", kind: "postgres", load: async () => (await graphile()).asItComes },
  "graphile-tuned": { label: "graphile-worker, tuned", kind: "postgres", load: async () => (await graphile()).tuned },
  "pg-boss": { label: "pg-boss, default", kind: "postgres", load: async () => (await pgBoss()).asItComes },
  "pg-boss-batched": { label: "pg-boss, batched", kind: "postgres", load: async () => (await pgBoss()).batched },
  "pg-boss-fetch": {
    label: "pg-boss, fetch + complete in a loop",
    kind: "postgres",
    load: async () => (await pgBoss()).fetchLoop,
    only: ["drain"],
  },
  bullmq: { label: "BullMQ, Redis in memory only", kind: "redis", load: bullmq },
  "bullmq-aof": { label: "BullMQ, Redis AOF everysec", kind: "redis-aof", load: bullmq },
  "limit-postgres": {
    label: "limit: pg, no library",
    kind: "postgres",
    load: async () => (await limits()).onPostgres,
    only: ["enqueue", "drain"],
  },
  "nightshift-sqlite": {
    label: "Nightshift, SQLite",
    kind: "sqlite",
    load: async () => (await nightshift()).onSqlite,
  },
  "nightshift-sqlite-normal": {
    label: 'Nightshift, SQLite, durability "normal"',
    kind: "sqlite",
    load: async () => (await nightshift()).onSqliteNormal,
  },
  plainjob: { label: "plainjob (NORMAL)", kind: "sqlite", load: async () => (await import("./plainjob.ts")).open },
  sidequest: {
    label: "Sidequest (FULL)",
    kind: "sqlite",
    load: async () => (await import("./sidequest.ts")).open,
    calls: 0,
  },
  "limit-sqlite": {
    label: "limit: node:sqlite, no library (FULL)",
    kind: "sqlite",
    load: async () => (await limits()).onSqlite,
    only: ["enqueue", "drain"],
  },
};
