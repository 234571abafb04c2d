/**
 * The locks of a migration. While it waits for one that shuts others out, everybody who comes later waits behind it: so it
 * waits briefly, gives up, lets them pass and tries again. When its time is over it says who was in its way.
 */
import { randomInt } from "node:crypto";
import { NightshiftError } from "../../errors/index.ts";
import { sleep } from "../../time/clock.ts";
import { formatDuration } from "../../time/index.ts";
import type { StoreContext } from "../contract.ts";
import type { Database } from "./database.ts";
import type { Row } from "./driver.ts";
import { codeOf } from "./failures.ts";

/** How long others may have to wait behind a statement of a migration, in milliseconds. */
export const BRIEFLY = 300;
/** How long all tries may take together, in milliseconds. */
const IN_ALL = 60_000;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 2_000;
/** A wait of so long, in milliseconds, is worth a line in the log. */
const SAID_AFTER = 1_000;
const LOCK_NOT_AVAILABLE = "55P03";

type Query = (text: string) => Promise<readonly Row[]>;

/** A session, or what else is in the way of another one. */
interface Blocker {
  readonly pid: number;
  readonly application: string;
  /** None: the server's own, which is autovacuum. */
  readonly role: string | null;
  /** What it does and since when its transaction is open; null where this role may not see it. */
  readonly state: string | null;
  readonly since: string | null;
}

const BLOCKERS = {
  name: "blockers",
  text: `select distinct b.pid, coalesce(a.application_name, ''), a.usename, a.state,
       to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
     from unnest(pg_blocking_pids($1)) b (pid) left join pg_stat_activity a on a.pid = b.pid order by 1`,
};

export class BriefLocks {
  readonly #database: Database;
  readonly #context: StoreContext;
  readonly #began: number;
  #said = false;
  #inTheWay: readonly Blocker[] = [];

  constructor(database: Database, context: StoreContext) {
    this.#database = database;
    this.#context = context;
    this.#began = context.clock.monotonic();
  }

  /**
   * Does something inside the open transaction that `query` leads to: as a whole, again from its beginning when a lock
   * of it was not had in time. What was locked before it stays locked in between.
   *
   * @param each how long to wait for each lock, in milliseconds
   * @throws NS_STORE_BUSY
   */
  async through<T>(query: Query, each: number, work: () => Promise<T>): Promise<T> {
    const [row] = await query(
      "select pg_backend_pid(), extract(epoch from current_setting('deadlock_timeout')::interval) * 1000",
    );
    const [pid = null, deadlockTimeout = null] = row ?? [];
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      // Autovacuum makes way for whoever waits for longer than that, and for nobody who gives up before.
      const more = this.#inTheWay.some(isAutovacuum) ? Number(deadlockTimeout) : 0;
      const limit = Math.ceil(each + more);
      await query(`savepoint before_locks; set local lock_timeout = ${limit}`);
      const watch = this.#watch(pid, limit / 3);
      try {
        return await work();
      } catch (error) {
        if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
        await query("rollback to savepoint before_locks");
        this.#sayOrThrow(error);
      } finally {
        watch[Symbol.dispose]();
      }
      const { clock, signal } = this.#context;
      // Whether the signal was aborted is looked at after the next try.
      await sleep(clock, randomInt(pause / 2, pause + 1), signal).catch(() => undefined);
    }
  }

  /** Looks from another connection who blocks the session, for as long as it is at work: afterwards nobody knows. */
  #watch(pid: string | null, every: number): Disposable {
    let isOver = false;
    let timer = this.#context.clock.setTimer(every, look);
    const database = this.#database;
    const saw = (rows: readonly Row[]) => {
      if (rows.length > 0) this.#inTheWay = rows.map(toBlocker);
    };
    const { logger, clock } = this.#context;
    function look(): void {
      const again = () => {
        if (!isOver) timer = clock.setTimer(every, look);
      };
      const failed = (err: unknown) => logger.debug({ err }, "who blocks a migration could not be looked for");
      // Where there is no second connection, this waits for the first one; nobody waits for this.
      void database.run(BLOCKERS, [pid], "if-refused").then(saw).catch(failed).then(again);
    }
    return {
      [Symbol.dispose]() {
        isOver = true;
        timer.cancel();
      },
    };
  }

  #sayOrThrow(cause: unknown): void {
    const { clock, logger, signal } = this.#context;
    const { location, quoted } = this.#database.settings;
    const passed = clock.monotonic() - this.#began;
    const who = this.#inTheWay.map(describe).join(", ") || "it could not be seen who";
    if (passed >= IN_ALL || signal?.aborted) {
      const pid = this.#inTheWay.find((blocker) => blocker.pid !== 0)?.pid ?? "<pid>";
      const message = `The migration of the schema ${quoted} at ${location} did not get its locks within ${formatDuration(Math.round(passed))}. In its way: ${who}. Nothing was changed. Try again when that is over, or end it: select pg_terminate_backend(${pid}).`;
      throw new NightshiftError("NS_STORE_BUSY", message, { cause, details: { blockedBy: this.#inTheWay } });
    }
    if (this.#said || passed < SAID_AFTER) return;
    this.#said = true;
    const message = `The migration of the schema ${quoted} at ${location} waits for a lock. In its way: ${who}. It lets others pass and tries again, for ${formatDuration(IN_ALL)} in all.`;
    logger.warn({ location, blockedBy: this.#inTheWay }, message);
  }
}

function isAutovacuum({ pid, role }: Blocker): boolean {
  return pid !== 0 && role === null;
}

function toBlocker([pid, application, role = null, state = null, since = null]: Row): Blocker {
  return { pid: Number(pid), application: application ?? "", role, state, since };
}

function describe({ pid, application, role, state, since }: Blocker): string {
  if (pid === 0) return "a prepared transaction (select * from pg_prepared_xacts)";
  const facts = [
    application === "" ? null : JSON.stringify(application),
    role === null ? "autovacuum" : `role ${role}`,
    state,
    since === null ? null : `its transaction open since ${since}`,
  ];
  return `process ${pid} (${facts.filter((fact) => fact !== null).join(", ")})`;
}
