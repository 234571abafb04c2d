/** The systems by their keys. Each is loaded only in a process of its own. */
import type { Open } from "../system.ts";

/** What a system keeps its jobs in, hence what place it is given. */
export type Kind = "postgres" | "sqlite" | "redis" | "redis-aof";

export interface Entry {
  readonly label: string;
  readonly kind: Kind;
  readonly load: () => Promise<Open>;
  /** How many jobs it is given to drain: what takes it a second or two. */
  readonly drains: number;
  /** The scenes that it takes part in, if not in all. */
  readonly only?: readonly ("enqueue" | "drain" | "latency")[];
  /** `false` for those without a bulk enqueue. */
  readonly bulk?: false;
  /** Takes part in the scene with millions of jobs: it has `worked` the finished ones, they are `made` by SQL, or it works them and keeps `none`. */
  readonly crowd?: "worked" | "made" | "none";
  /** Takes part in the scene with a snapshot held open. */
  readonly held?: true;
  /** A program of its own that commits rows one by one, and is measured by what it says: commits a second. */
  readonly commits?: (place: string, ms: number) => Promise<number>;
}

const graphile = () => import("./graphile-worker.ts");
const nightshift = () => import("./nightshift.ts");
const pgBoss = () => import("./pg-boss.ts");
const limits = () => import("./limits.ts");
const bullmq = async () => (await import("./bullmq.ts")).open;

export const SYSTEMS = {
  "nightshift-postgres": {
    label: "Nightshift, PostgreSQL",
    kind: "postgres",
    load: async () => (await nightshift()).onPostgres,
    drains: 300_000,
    crowd: "worked",
    held: true,
  },
  graphile: {
    label: "graphile-worker, default",
    kind: "postgres",
    load: async () => (await graphile()).asItComes,
    drains: 2_000,
  },
  "graphile-tuned": {
    label: "graphile-worker, tuned",
    kind: "postgres",
    load: async () => (await graphile()).tuned,
    drains: 40_000,
    crowd: "made",
    held: true,
  },
  "pg-boss": {
    label: "pg-boss, default",
    kind: "postgres",
    load: async () => (await pgBoss()).asItComes,
    drains: 4,
  },
  "pg-boss-batched": {
    label: "pg-boss, batched",
    kind: "postgres",
    load: async () => (await pgBoss()).batched,
    drains: 30_000,
    crowd: "made",
    held: true,
  },
  "pg-boss-fetch": {
    label: "pg-boss, fetch + complete in a loop",
    kind: "postgres",
    load: async () => (await pgBoss()).fetchLoop,
    drains: 30_000,
    only: ["drain"],
  },
  bullmq: { label: "BullMQ, Redis in memory only", kind: "redis", load: bullmq, drains: 30_000 },
  "bullmq-aof": { label: "BullMQ, Redis AOF everysec", kind: "redis-aof", load: bullmq, drains: 30_000 },
  "limit-postgres": {
    label: "limit: pg, no library: lock 500, delete 500, commit",
    kind: "postgres",
    load: async () => (await limits()).lockAndDelete,
    drains: 300_000,
    only: ["enqueue", "drain", "latency"],
    crowd: "none",
  },
  "limit-postgres-returning": {
    label: "limit: pg, no library: delete 500 returning, lost if it dies",
    kind: "postgres",
    load: async () => (await limits()).deleteReturning,
    drains: 300_000,
    only: ["drain"],
  },
  "limit-pgbench": {
    label: "limit: pgbench, one connection",
    kind: "postgres",
    load: async () => (await limits()).lockAndDelete,
    drains: 0,
    only: ["enqueue"],
    commits: async (place, ms) => (await import("./pgbench.ts")).oneRowCommits(place, ms),
  },
  "nightshift-sqlite": {
    label: "Nightshift, SQLite",
    kind: "sqlite",
    load: async () => (await nightshift()).onSqlite,
    drains: 300_000,
    crowd: "worked",
  },
  "nightshift-sqlite-normal": {
    label: 'Nightshift, SQLite, durability "normal"',
    kind: "sqlite",
    load: async () => (await nightshift()).onSqliteNormal,
    drains: 300_000,
  },
  plainjob: {
    label: "plainjob (NORMAL)",
    kind: "sqlite",
    load: async () => (await import("./plainjob.ts")).open,
    drains: 15_000,
    crowd: "made",
  },
  sidequest: {
    label: "Sidequest (FULL)",
    kind: "sqlite",
    load: async () => (await import("./sidequest.ts")).open,
    drains: 400,
    bulk: false,
  },
  "limit-sqlite": {
    label: "limit: node:sqlite, no library, the same rows (FULL)",
    kind: "sqlite",
    load: async () => (await limits()).onSqlite,
    drains: 300_000,
    only: ["enqueue", "drain", "latency"],
  },
  "limit-sqlite-normal": {
    label: "limit: node:sqlite, no library, the same rows (NORMAL)",
    kind: "sqlite",
    load: async () => (await limits()).onSqliteNormal,
    drains: 300_000,
    only: ["enqueue", "drain"],
  },
  "limit-memory": {
    label: "limit: no store, 4,096 loads over 256 KB, each by what the last one read",
    kind: "sqlite",
    load: async () => (await import("./memory-walk.ts")).open,
    drains: 0,
    only: ["latency"],
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type SystemKey = keyof typeof SYSTEMS;

export function entryOf(key: string): Entry | undefined {
  return (SYSTEMS as Readonly<Record<string, Entry>>)[key];
}
