/**
 * Meeting the server: which one it is, and since when. What is remembered of one that ran before is forgotten: this one
 * may have another past. The reasons are in schema/era.ts.
 */
import { NightshiftError } from "../../errors/index.ts";
import type { Database } from "./database.ts";
import { Elsewhere } from "./elsewhere.ts";
import { Names } from "./names.ts";
import { run, type Session } from "./session.ts";

/** Servers that may follow each other under one call before it is given up. */
const MOST_SERVERS = 5;

/** The first meeting, which a standby may have too. */
export async function firstNames(database: Database): Promise<Names> {
  const text = `select * from ${database.settings.quoted}.meet(false)`;
  const [row] = await database.run({ name: "meet_first", text }, [], "always");
  return new Names(database, row?.[0] ?? null, row?.[1] ?? "");
}

/** Learns which server it is now. */
export async function meet(session: Session): Promise<void> {
  const { database, floors, listeners, logger, s } = session;
  const [row] = await run(session, "meet", `select * from ${s}.meet(true)`, []);
  const [server = null, history] = row ?? [];
  const before = session.names;
  if (server === before.server) return;
  session.names = new Names(database, server, history ?? "");
  session.offset = null;
  floors.reset();
  const { location } = database.settings;
  if (session.names.history === before.history) {
    logger.info({ server }, `PostgreSQL at ${location} was started again; leases are compared.`);
  } else {
    const message = `PostgreSQL at ${location} goes on from another history than before: a replica took over, or a backup was restored. What was committed and had not reached it is lost; leases are compared.`;
    logger.warn({ server, history }, message);
  }
  listeners.emit([{ what: "unknown" }], logger);
}

/** A schema that does not know us may be another one, restored from a dump: its numbers are looked up once more. */
export function forgetNames(session: Session): void {
  const { server, history } = session.names;
  session.names = new Names(session.database, server, history);
  session.floors.reset();
}

/**
 * Does something with the numbers of the server that it is done on. The work answers null, or throws {@link Elsewhere},
 * where it met another one and did nothing: that one is met then, and the work done anew.
 *
 * @throws NS_STORE_UNAVAILABLE
 */
export async function onServer<T>(session: Session, work: (names: Names) => Promise<T | null>): Promise<T> {
  for (let servers = 0; servers < MOST_SERVERS; servers++) {
    try {
      const answer = await work(session.names);
      if (answer !== null) return answer;
    } catch (error) {
      if (!(error instanceof Elsewhere)) throw error;
    }
    await meet(session);
  }
  const { location } = session.database.settings;
  const message = `PostgreSQL at ${location} is another server with each statement. Nothing was written. Send connections to one of them.`;
  throw new NightshiftError("NS_STORE_UNAVAILABLE", message);
}
