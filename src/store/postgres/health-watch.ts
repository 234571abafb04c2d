/**
 * Looks now and then for what makes claims slow before anybody wonders: a transaction that holds back vacuum, dead rows
 * that pile up, rows in the default partition of a day to come. Said in the log, once per finding and hour.
 */
import type { Session } from "./session.ts";
import { run } from "./session.ts";

const LOOK_EVERY = 60_000;
const REPEAT_EVERY = 3_600_000;
/** A transaction this old holds back more than it should, in seconds. */
const OLD = 300;
/** Dead rows in the table of runnable work that vacuum should have taken long ago. */
const DEAD = 200_000;

export class HealthWatch {
  readonly #session: Session;
  readonly #said = new Map<string, number>();
  #lookedAt: number;

  constructor(session: Session) {
    this.#session = session;
    this.#lookedAt = session.clock.monotonic();
  }

  /** Looks, if it is time. Never rejects: looking is not worth failing for. */
  async look(): Promise<void> {
    const { clock, logger, s, database } = this.#session;
    if (clock.monotonic() - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = clock.monotonic();
    try {
      for (const finding of await findings(this.#session)) {
        const before = this.#said.get(finding.what);
        if (before !== undefined && clock.monotonic() - before < REPEAT_EVERY) continue;
        this.#said.set(finding.what, clock.monotonic());
        logger.warn({ ...finding, schema: s, location: database.settings.location }, MESSAGES[finding.what]);
      }
    } catch (err) {
      logger.debug({ err }, "could not look after the database's health");
    }
  }
}

const MESSAGES = {
  "held snapshot":
    "a transaction has been open for long and keeps vacuum from its work: claims get slower the longer it stays",
  "dead rows":
    "dead rows pile up in the table of runnable work: look for old transactions, replication slots and autovacuum",
} as const;

interface Finding {
  readonly what: keyof typeof MESSAGES;
  readonly seconds?: number;
  readonly application?: string;
  readonly rows?: number;
}

/** What is not as it should be. Other users' statements are seen only with the rights for it; their age is not secret. */
export async function findings(session: Session, old = OLD, dead = DEAD): Promise<readonly Finding[]> {
  const text = `select
      (select n_dead_tup from pg_stat_all_tables where relid = $1::regclass),
      a.seconds, a.application_name
    from (select 1) one left join lateral (
      select extract(epoch from clock_timestamp() - xact_start)::int as seconds, application_name from pg_stat_activity
      where backend_xmin is not null and datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend' and xact_start < clock_timestamp() - make_interval(secs => $2)
      order by xact_start limit 1) a on true`;
  const [row] = await run(session, "health", text, [`${session.s}.ready`, old]);
  const [deadRows, seconds = null, application = null] = row ?? [];
  const found: Finding[] = [];
  if (seconds !== null) found.push({ what: "held snapshot", seconds: Number(seconds), application: application ?? "" });
  if (Number(deadRows) >= dead) found.push({ what: "dead rows", rows: Number(deadRows) });
  return found;
}
