/**
 * The way to the database: one statement, one round trip, one commit. Every statement has a timeout on the server and
 * one here; what may be repeated is, with back-off and jitter, until the patience is over.
 */
import { randomInt } from "node:crypto";
import { messageOf, NightshiftError } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { rest } from "../../time/clock.ts";
import { type Clock, formatDuration } from "../../time/index.ts";
import { Connections } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { loadPg, type PgPool, type PgPoolClient, type Row } from "./driver.ts";
import { asError, failureKind, NoAnswer, toNightshiftError } from "./failures.ts";
import { careful, incoming } from "./incoming.ts";
import type { Settings } from "./options.ts";
import { type Answered, type Asked, put, putBoth, type Value } from "./question.ts";
import { channelOf } from "./quote.ts";

/** A statement: its name for the server's memory of plans, and its text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A statement that follows another one on its connection in a transaction of its own, and that nobody waits for. */
export interface Following {
  readonly statement: Statement;
  readonly values: readonly Value[];
  /** It may not have been carried out. */
  failed(error: unknown): void;
}

/** How a statement may be repeated when the connection breaks under it. */
export type Repeat =
  /** Repeating it changes nothing that the first time had not. */
  | "always"
  /** Only when it certainly did not happen. */
  | "if-refused";

const FIRST_BACKOFF = 40;
const LONGEST_BACKOFF = 1_500;
const CONFLICT_TRIES = 6;
/** A server that a call has waited for so long, in milliseconds, is worth a line in the log. */
const SAID_AFTER = 1_000;
/** Waited beyond the server's own timeout before a connection is given up as dead. */
const GRACE = 5_000;

/** Connections to one database. */
export class Database {
  readonly settings: Settings;
  readonly #clock: Clock;
  readonly #pool: PgPool;
  readonly #connections: Connections;
  readonly #prefix: string;
  readonly #deadlines: Deadlines;
  readonly #closing = new AbortController();
  readonly #logger: LoggerLike;
  /** It was said that the server is away, and it has not answered since. */
  #saidAway = false;

  private constructor(settings: Settings, pool: PgPool, clock: Clock, logger: LoggerLike) {
    this.settings = settings;
    this.#logger = logger;
    this.#pool = pool;
    this.#connections = new Connections(pool, settings.pool === null, clock);
    this.#clock = clock;
    this.#prefix = channelOf(settings.schema).slice(0, 16);
    this.#deadlines = new Deadlines(clock, settings.statementTimeout + GRACE);
  }

  /** Makes the pool; nothing is connected yet. */
  static async create(settings: Settings, clock: Clock, logger: LoggerLike): Promise<Database> {
    if (settings.pool !== null) return new Database(settings, settings.pool, clock, logger);
    const { Client, Pool } = await loadPg();
    const pool = new Pool({
      connectionString: settings.connectionString,
      max: settings.connections,
      application_name: settings.applicationName,
      connectionTimeoutMillis: Math.max(1_000, Math.min(settings.patience, 10_000)),
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      allowExitOnIdle: false,
      stream: incoming,
      Client: careful(Client),
      // A pooler in transaction mode refuses session settings at connect.
      ...(settings.pooler ? {} : { statement_timeout: settings.statementTimeout }),
    });
    // An idle connection that breaks is replaced by the pool; it must not bring down the process.
    pool.on("error", (err) => logger.debug({ err }, "an idle PostgreSQL connection was lost"));
    return new Database(settings, pool, clock, logger);
  }

  /**
   * Runs a statement, repeating it as far as allowed.
   *
   * @param follow goes with it, and again with each repetition; it may be carried out though the statement failed
   */
  async run(
    statement: Statement,
    values: readonly Value[],
    repeat: Repeat,
    follow: Following | null = null,
  ): Promise<readonly Row[]> {
    const asked = this.#asked(statement, values);
    if (follow === null) return this.repeating(repeat, (client) => this.ask(client, asked));
    const next = this.#asked(follow.statement, follow.values);
    return this.repeating(repeat, (client, hold) => {
      const first = this.#expect();
      const second = this.#expect();
      hold(second.answer, follow.failed);
      putBoth(client, asked, first.answered, next, second.answered);
      return first.answer;
    });
  }

  #asked({ name, text }: Statement, values: readonly Value[]): Asked {
    return this.settings.pooler ? { text, values } : { text, values, name: `${this.#prefix}_${name}` };
  }

  /** Runs statements on one connection inside one transaction. */
  transaction<T>(
    repeat: Repeat,
    work: (query: (text: string, values?: readonly Value[]) => Promise<readonly Row[]>) => Promise<T>,
  ): Promise<T> {
    return this.repeating(repeat, async (client) => {
      const query = (text: string, values: readonly Value[] = []) => this.ask(client, { text, values });
      await query("begin");
      let result: T;
      try {
        result = await work(query);
      } catch (error) {
        // Without an answer the transaction may be open yet: its end is that of the connection.
        const unsure = (why: unknown) => this.#connections.giveUp(client, asError(why));
        if (!isBroken(error)) await query("rollback").catch(unsure);
        throw error;
      }
      await query("commit");
      return result;
    });
  }

  /**
   * Does something with a connection, again after conflicts and, where allowed, after losses.
   *
   * @param work may hold the connection until something is over that it does not wait for
   */
  async repeating<T>(
    repeat: Repeat,
    work: (
      client: PgPoolClient,
      hold: (until: Promise<unknown>, failed: (error: unknown) => void) => void,
    ) => Promise<T>,
  ): Promise<T> {
    const started = this.#clock.monotonic();
    for (let tries = 1, wait = FIRST_BACKOFF; ; tries++, wait = Math.min(wait * 2, LONGEST_BACKOFF)) {
      let client: PgPoolClient | undefined;
      let sent = false;
      let held = false;
      const release = (error?: unknown) => {
        if (client !== undefined) this.#connections.letGo(client, isBroken(error) ? asError(error) : null);
        client = undefined;
      };
      try {
        // A connection at hand is not waited for: until the statement is sent, its caller's code does not run on.
        const taken = this.#connections.take();
        client = taken instanceof Promise ? await taken : taken;
        sent = true;
        const result = await work(client, (until, failed) => {
          held = true;
          until.then(
            () => release(),
            (error: unknown) => {
              release(error);
              failed(error);
            },
          );
        });
        if (!held) release();
        if (this.#saidAway) this.#sayBack();
        return result;
      } catch (error) {
        if (!held || isBroken(error)) release(error);
        const kind = failureKind(error, sent);
        const passed = this.#clock.monotonic() - started;
        const again =
          kind === "conflict"
            ? tries < CONFLICT_TRIES
            : (kind === "refused" || (kind === "lost" && repeat === "always")) &&
              passed + wait < this.settings.patience;
        if (!again || this.#closing.signal.aborted) throw toNightshiftError(error, this.settings.location, sent);
        if (kind !== "conflict" && passed + wait > SAID_AFTER) this.#sayAway(error);
        // Full jitter: many processes that lost one server must not come back in step.
        await rest(this.#clock, randomInt(Math.ceil(wait / 2), wait + 1), this.#closing.signal);
      }
    }
  }

  /** Before the patience of a call is over, and once: whoever starts an application must not wait in silence. */
  #sayAway(err: unknown): void {
    if (this.#saidAway) return;
    this.#saidAway = true;
    const { location, patience } = this.settings;
    const message = `PostgreSQL at ${location} cannot be reached (${messageOf(err)}). Each call tries again, for ${formatDuration(patience)} in all.`;
    this.#logger.warn({ location }, message);
  }

  #sayBack(): void {
    this.#saidAway = false;
    this.#logger.info(`PostgreSQL at ${this.settings.location} answers.`);
  }

  /** One statement on one connection; rejects when no answer comes in time. */
  ask(client: Pick<PgPoolClient, "query">, asked: Asked): Promise<readonly Row[]> {
    const { answer, answered } = this.#expect();
    put(client, asked, answered);
    return answer;
  }

  #expect(): { readonly answer: Promise<readonly Row[]>; readonly answered: Answered } {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>();
    const limit = this.settings.statementTimeout + GRACE;
    const over = this.#deadlines.begin(() => reject(new NoAnswer(`no answer within ${limit} ms`)));
    const answered: Answered = (error, rows) => {
      over();
      if (error) reject(error);
      else resolve(rows);
    };
    return { answer: promise, answered };
  }

  /** A connection of its own for LISTEN, released by the caller. */
  async connect(): Promise<PgPoolClient> {
    return this.#connections.take();
  }

  /** Ends waiting for a server that does not come back. */
  abandon(): void {
    this.#closing.abort(new NightshiftError("NS_STORE_CLOSED", "The store was closed."));
  }

  /** Ends the pool, if it is ours. */
  async end(): Promise<void> {
    this.abandon();
    this.#connections.over();
    if (this.settings.pool === null) await this.#pool.end();
    this.#deadlines[Symbol.dispose]();
  }
}

/** Whether the connection is gone with what failed on it. */
function isBroken(error: unknown): boolean {
  const kind = error === undefined ? null : failureKind(error, true);
  return kind === "lost" || kind === "refused";
}
