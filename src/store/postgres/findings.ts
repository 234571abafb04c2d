/**
 * What makes claims slow, in the order in which it usually is the reason: something holds back vacuum, dead rows pile
 * up, the key of the runnable work is bloated, transaction numbers run out. Other users' statements are seen only with
 * the rights for it; their age is not secret.
 */
import type { Finding } from "../contract.ts";
import { run, type Session } from "./session.ts";

/** When something is told. */
export interface Limits {
  /** Age of a transaction, a slot or a prepared transaction that holds back vacuum, in seconds. */
  readonly old: number;
  /** Dead rows of `ready` that vacuum should have taken long ago. */
  readonly dead: number;
  /** Size of the key of `ready` and `lease`, in bytes, when there are far fewer rows than it has room for. */
  readonly index: number;
  /** Transactions since the oldest row was frozen: at two thousand million the server stops. */
  readonly wraparound: number;
}

export const LIMITS: Limits = { old: 300, dead: 200_000, index: 256 * 1_024 * 1_024, wraparound: 1_500_000_000 };

export async function findings(session: Session, limits: Limits = LIMITS): Promise<readonly Finding[]> {
  const { s } = session;
  const [holder, slot, prepared, table, frozen] = await Promise.all([
    run(session, "held_snapshot", HELD_SNAPSHOT, [limits.old]),
    run(session, "held_by_slot", HELD_BY_SLOT, []),
    run(session, "held_prepared", HELD_PREPARED, [limits.old]),
    run(session, "ready_health", READY_HEALTH, [`${s}.ready`, `${s}.lease`]),
    run(session, "frozen_age", `select max(age(datfrozenxid)) from pg_database where datname = current_database()`, []),
  ]);
  const found: Finding[] = [];
  const warn = (what: string, message: string, details: Finding["details"]) =>
    found.push({ what, severity: "warning", message, details });

  if (session.notifier.deaf) {
    const message =
      "Wake-ups from other processes are not heard: LISTEN has no connection that hears itself. Work is found by polling, up to a second late. Behind a pooler, give listenConnectionString a direct way to the server.";
    warn("no wake-ups", message, {});
  }
  for (const [pid, application, seconds, state] of holder) {
    const details = { pid: Number(pid), application: application ?? "", seconds: Number(seconds), state };
    const message = `A transaction of ${application || "an unnamed application"} (pid ${pid}, ${state}) has been open for ${seconds} s and keeps vacuum from its work: claims get slower the longer it stays. End it: select pg_terminate_backend(${pid}).`;
    warn("held snapshot", message, details);
  }
  for (const [name, active, behind] of slot) {
    const message = `The replication slot ${name} (${active === "t" ? "active" : "not used by anybody"}) holds back vacuum by ${behind} transactions. Drop it if nobody needs it.`;
    warn("held by slot", message, { slot: name, active: active === "t", behind: Number(behind) });
  }
  for (const [gid, owner, seconds] of prepared) {
    const message = `The prepared transaction ${gid} of ${owner} is ${seconds} s old and holds back vacuum. COMMIT PREPARED or ROLLBACK PREPARED it.`;
    warn("held by prepared transaction", message, { gid, owner, seconds: Number(seconds) });
  }
  const [dead, rows, bytes] = (table[0] ?? []).map(Number);
  if (dead !== undefined && dead >= limits.dead) {
    const message = `${dead} dead rows pile up in the table of runnable work: look for old transactions, replication slots, and whether autovacuum runs.`;
    warn("dead rows", message, { rows: dead });
  }
  // A page of the key holds some hundred and fifty entries of its two numbers at the least.
  if (bytes !== undefined && rows !== undefined && bytes >= limits.index && bytes > rows * 200) {
    const message = `The keys of the runnable work have ${Math.round(bytes / 1_048_576)} MB for about ${rows} rows. Give the room back: reindex index concurrently ${s}.ready_pkey.`;
    warn("bloated index", message, { bytes, rows });
  }
  const age = Number(frozen[0]?.[0] ?? 0);
  if (age >= limits.wraparound) {
    const message = `The database is ${age} transactions from its last freeze; at 2,100,000,000 the server refuses to write. Find out why vacuum does not get through, and run it.`;
    warn("wraparound", message, { age });
  }
  return found;
}

/** The oldest first; one is enough, since the next look tells the next. Our own look and other databases do not count. */
const HELD_SNAPSHOT = `
  select pid, application_name, extract(epoch from clock_timestamp() - xact_start)::int, state from pg_stat_activity
  where (backend_xmin is not null or backend_xid is not null) and datname = current_database() and pid <> pg_backend_pid()
    and backend_type = 'client backend' and xact_start < clock_timestamp() - make_interval(secs => $1)
  order by xact_start limit 1`;

/** A slot that lags a million transactions behind: some minutes of a busy server, and never of a healthy replica. */
const HELD_BY_SLOT = `
  select slot_name, active, greatest(age(xmin), age(catalog_xmin)) from pg_replication_slots
  where greatest(age(xmin), age(catalog_xmin)) > 1000000 order by 3 desc limit 1`;

const HELD_PREPARED = `
  select gid, owner, extract(epoch from clock_timestamp() - prepared)::int from pg_prepared_xacts
  where database = current_database() and prepared < clock_timestamp() - make_interval(secs => $1) order by prepared limit 1`;

const READY_HEALTH = `
  select (select n_dead_tup from pg_stat_all_tables where relid = $1::regclass),
    (select coalesce(sum(n_live_tup), 0) from pg_stat_all_tables where relid in ($1::regclass, $2::regclass)),
    (select coalesce(sum(pg_relation_size(indexrelid)), 0) from pg_index where indrelid in ($1::regclass, $2::regclass))`;
