/**
 * Wake-ups between processes. Saying: changes are gathered and told in one NOTIFY, after their commits and apart from
 * them, since a NOTIFY inside a commit makes all such commits wait for each other. Hearing: one connection that
 * listens, asks itself now and then whether it still hears, and is replaced when not; until then this polls.
 */
import { randomInt, randomUUID } from "node:crypto";
import type { LoggerLike } from "../../telemetry/logger.ts";
import type { Clock, Timer } from "../../time/index.ts";
import type { Database, Following, Statement } from "./database.ts";
import type { PgPoolClient } from "./driver.ts";
import type { Value } from "./question.ts";
import { channelOf } from "./quote.ts";

/** What one process tells the others: short keys, since a payload has less than 8,000 bytes. */
export interface News {
  /** Queues with claimable jobs, and per lane the smallest id that became ready. */
  readonly queues?: readonly string[];
  readonly lanes?: readonly (readonly [lane: number, id: string])[];
  /** It is one job, and nothing else has happened. */
  readonly one?: true;
  readonly scheduledAt?: number;
  readonly schedules?: true;
  readonly cancellation?: true;
  readonly finished?: readonly string[];
  /** Too much to tell: anything may have changed. */
  readonly unknown?: true;
}

interface Envelope extends News {
  readonly from: string;
  readonly probe?: string;
}

/** The most finished jobs that one wake-up names: those who wait for another one look now and then. */
export const MOST_FINISHED = 100;
/** Between two NOTIFYs of one process, in milliseconds. */
const GAP = 15;
const LONGEST_PAYLOAD = 7_500;
/** An ear that has heard nothing for so long is asked whether it hears, at the latest. */
const PROBE_EVERY = 20_000;
/** Up to so much earlier, by chance: those who heard the same at one time must not all ask at one time. */
const PROBE_SPREAD = 5_000;
const PROBE_ANSWER = 3_000;
/** How often listeners are told to look when nothing can be heard. */
const POLL_EVERY = 1_000;
/** Nothing is lost with a lost NOTIFY: it need not wait for the disk. */
const UNHURRIED = "set_config('synchronous_commit', 'off', true) is not null";
const NOTIFY = { name: "notify", text: `select pg_notify($1, $2) where ${UNHURRIED}` };
/** An envelope whose last word is the id of a lane ends like this. */
const BEHIND_ID = '"]]}';
const DIGITS = /^\d{1,19}$/;
const RECONNECT = { first: 100, longest: 10_000 } as const;

/** What the notifier calls. */
export interface Hearing {
  heard(news: News): void;
  /** News may have been missed. */
  missed(): void;
}

/** The voice and the ear of one store. */
export class Notifier {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #logger: LoggerLike;
  readonly #hearing: Hearing;
  readonly #connect: (() => Promise<PgPoolClient>) | null;
  readonly #channel: string;
  readonly #notifyFirst: Statement;
  readonly #me = randomUUID();
  #client: PgPoolClient | null = null;
  #pending: News = {};
  /** From the first news until the gap after their NOTIFY is over. */
  #saying = false;
  #gap: Timer | null = null;
  #nextTimer: Timer | null = null;
  #pollTimer: Timer | null = null;
  /** The connection that listens has heard itself: until then it may be deaf, and this polls. */
  #proven = false;
  #attempt = 0;
  #probe: string | null = null;
  #heardAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param connect makes the connection that listens; null where none can, and polling it is */
  constructor(
    database: Database,
    clock: Clock,
    logger: LoggerLike,
    hearing: Hearing,
    connect: (() => Promise<PgPoolClient>) | null,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#logger = logger;
    this.#hearing = hearing;
    this.#connect = connect;
    this.#channel = channelOf(database.settings.schema);
    this.#notifyFirst = { name: "notify_first", text: notifyFirstText(database.settings.quoted) };
  }

  /** Whether changes of other processes are heard, rather than found by polling. */
  get hears(): boolean {
    return this.#client !== null && this.#proven;
  }

  /** It was tried in vain to hear, and polling is what is left. Not where nobody asked for more, nor while it begins. */
  get deaf(): boolean {
    return !this.hears && this.#attempt > 0;
  }

  /** The connection that listens, which nobody else uses, while there is one. */
  get ear(): PgPoolClient | null {
    return this.#proven ? this.#client : null;
  }

  /** Begins to listen; resolves after the first try, whatever came of it. */
  async start(): Promise<void> {
    this.#pollWhileDeaf();
    if (this.#connect !== null) await this.#listen(this.#connect);
  }

  /** Tells the other processes, soon. */
  say(news: News): void {
    if (this.#closed) return;
    if (!isIn(this.#pending, news)) this.#pending = merge(this.#pending, news);
    if (this.#saying) return;
    this.#saying = true;
    // With what else this tick has to say, and not by a timer, which would take a millisecond.
    process.nextTick(() => void this.#flush());
  }

  /**
   * The first news after a quiet while, a job that is about to be stored: it goes with the statement that stores it, so that
   * a lone job's worker waits for nothing but the commit. The server itself puts the job's number in. Null while news
   * gather, and where statements are not sure to meet on one session: then it is for {@link say}.
   */
  first(queue: string, lane: number): Following | null {
    if (this.#closed || this.#saying || this.#database.settings.pooler) return null;
    this.#saying = true;
    this.#rest();
    const envelope: Envelope = { from: this.#me, one: true, queues: [queue], lanes: [[lane, ""]] };
    const before = JSON.stringify(envelope).slice(0, -BEHIND_ID.length);
    return {
      statement: this.#notifyFirst,
      values: [this.#channel, before, BEHIND_ID],
      failed: (err) => this.#unsaid(err),
    };
  }

  /** Says what is left and lets go. */
  async close(): Promise<void> {
    this.#nextTimer?.cancel();
    this.#pollTimer?.cancel();
    this.#gap?.cancel();
    await this.#send(this.#take());
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    client?.release(true);
  }

  async #flush(): Promise<void> {
    await this.#send(this.#take());
    this.#rest();
  }

  /** Whatever is said from now on goes together, after a gap. */
  #rest(): void {
    this.#gap = this.#clock.setTimer(
      GAP,
      () => {
        this.#saying = false;
        if (Object.keys(this.#pending).length > 0) this.say({});
      },
      { ref: false },
    );
  }

  #take(): News {
    const news = this.#pending;
    this.#pending = {};
    return news;
  }

  async #send(news: News, probe?: string): Promise<void> {
    if (this.#closed || (Object.keys(news).length === 0 && probe === undefined)) return;
    const { statement, values } = this.#notify(news, probe);
    try {
      await this.#database.run(statement, values, "if-refused");
    } catch (err) {
      this.#unsaid(err);
    }
  }

  #notify(news: News, probe?: string): { readonly statement: Statement; readonly values: readonly Value[] } {
    // Too many of them must not make it "unknown", which sends everybody to look everywhere.
    const finished = news.finished === undefined ? {} : { finished: news.finished.slice(0, MOST_FINISHED) };
    const envelope: Envelope = { from: this.#me, ...news, ...finished, ...(probe === undefined ? {} : { probe }) };
    let payload = JSON.stringify(envelope);
    if (Buffer.byteLength(payload) > LONGEST_PAYLOAD) payload = JSON.stringify({ from: this.#me, unknown: true });
    return { statement: NOTIFY, values: [this.#channel, payload] };
  }

  #unsaid(err: unknown): void {
    this.#logger.debug({ err }, "a wake-up could not be sent; other processes find the work by polling");
  }

  async #listen(connect: () => Promise<PgPoolClient>): Promise<void> {
    let client: PgPoolClient | undefined;
    try {
      client = await connect();
      const mine = client;
      client.on("error", (err) => this.#lost(mine, connect, err));
      client.on("end", () => this.#lost(mine, connect));
      client.on("notification", ({ payload }) => this.#hear(payload));
      await this.#database.ask(client, { text: `listen ${this.#channel}`, values: [] });
      if (this.#closed) return client.release(true);
      this.#client = client;
      this.#hearing.missed();
      this.#check(mine, connect);
    } catch (err) {
      client?.release(true);
      this.#again(connect, err);
    }
  }

  #lost(client: PgPoolClient, connect: () => Promise<PgPoolClient>, err?: Error): void {
    if (this.#client !== client || this.#closed) return;
    this.#client = null;
    this.#proven = false;
    client.release(true);
    this.#hearing.missed();
    this.#pollWhileDeaf();
    this.#again(connect, err);
  }

  #again(connect: () => Promise<PgPoolClient>, err: unknown): void {
    if (this.#closed) return;
    if (this.#attempt++ === 0)
      this.#logger.warn({ err }, "does not hear wake-ups from PostgreSQL; polls until it does");
    const wait = Math.min(RECONNECT.longest, RECONNECT.first * 2 ** Math.min(this.#attempt, 10));
    this.#later(randomInt(Math.ceil(wait / 2), wait + 1), () => void this.#listen(connect));
  }

  /** A connection can be alive and deaf: behind a pooler, after a failover. So it is asked to hear itself. */
  #check(client: PgPoolClient, connect: () => Promise<PgPoolClient>): void {
    const probe = randomUUID();
    this.#probe = probe;
    void this.#send({}, probe);
    this.#later(PROBE_ANSWER, () => {
      if (this.#probe === probe) this.#lost(client, connect);
      else this.#checkWhenSilent(client, connect);
    });
  }

  /** Whatever it hears proves the ear: of many processes on one database one asks, a little earlier, and the others hear that. */
  #checkWhenSilent(client: PgPoolClient, connect: () => Promise<PgPoolClient>): void {
    const silence = PROBE_EVERY - randomInt(PROBE_SPREAD);
    this.#later(Math.max(0, this.#heardAt + silence - this.#clock.monotonic()), () => {
      if (this.#clock.monotonic() - this.#heardAt >= silence) this.#check(client, connect);
      else this.#checkWhenSilent(client, connect);
    });
  }

  #pollWhileDeaf(): void {
    if (this.#closed || this.#pollTimer !== null) return;
    this.#pollTimer = this.#clock.setTimer(
      POLL_EVERY,
      () => {
        this.#pollTimer = null;
        if (this.hears) return;
        this.#hearing.missed();
        this.#pollWhileDeaf();
      },
      { ref: false },
    );
  }

  /** Somebody heard what was said: this very connection. */
  #prove(): void {
    this.#probe = null;
    if (this.#proven) return;
    this.#proven = true;
    if (this.#attempt > 0) this.#logger.info("hears wake-ups from PostgreSQL again");
    this.#attempt = 0;
  }

  #hear(payload: string | undefined): void {
    this.#heardAt = this.#clock.monotonic();
    const envelope = envelopeOf(payload);
    if (envelope === null) {
      this.#hearing.missed();
      return;
    }
    if (envelope.probe !== undefined && envelope.probe === this.#probe) this.#prove();
    if (envelope.from !== this.#me) this.#hearing.heard(envelope);
  }

  #later(delay: number, then: () => void): void {
    if (this.#closed) return;
    this.#nextTimer?.cancel();
    this.#nextTimer = this.#clock.setTimer(delay, then, { ref: false });
  }
}

/** What was said; null for somebody else's words on our channel. An error here would be taken for one of the connection. */
function envelopeOf(payload: string | undefined): Envelope | null {
  let said: unknown;
  try {
    said = JSON.parse(payload ?? "");
  } catch {
    return null;
  }
  if (typeof said !== "object" || said === null) return null;
  const { from, queues = [], lanes = [], finished = [], scheduledAt = 0 } = said as Partial<Envelope>;
  const isOurs =
    typeof from === "string" &&
    areAll(queues, (queue) => typeof queue === "string") &&
    areAll(finished, (id) => typeof id === "string") &&
    areAll(lanes, (lane) => Array.isArray(lane) && Number.isSafeInteger(lane[0]) && DIGITS.test(String(lane[1]))) &&
    Number.isFinite(scheduledAt);
  return isOurs ? (said as Envelope) : null;
}

function areAll(list: unknown, are: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(are);
}

/** The number that this session has given last, between two halves of an envelope. */
function notifyFirstText(s: string): string {
  return `select pg_notify($1, $2::text || currval('${s.replaceAll("'", "''")}.job_seq') || $3::text) where ${UNHURRIED}`;
}

/** Whether news of lanes and queues alone are in others: job by job, one queue has nearly always been named. */
function isIn(pending: News, { queues = [], lanes = [], ...others }: News): boolean {
  for (const _ in others) return false;
  return (
    queues.every((queue) => pending.queues?.includes(queue)) &&
    lanes.every(([lane, id]) => pending.lanes?.some(([other, first]) => other === lane && BigInt(first) <= BigInt(id)))
  );
}

/** Two pieces of news as one. */
export function merge(a: News, b: News): News {
  const lanes = new Map(a.lanes);
  for (const [lane, id] of b.lanes ?? []) {
    const other = lanes.get(lane);
    if (other === undefined || BigInt(id) < BigInt(other)) lanes.set(lane, id);
  }
  const scheduledAt = Math.min(a.scheduledAt ?? Number.POSITIVE_INFINITY, b.scheduledAt ?? Number.POSITIVE_INFINITY);
  const finished = [...(a.finished ?? []), ...(b.finished ?? [])];
  return {
    ...(a.queues || b.queues ? { queues: [...new Set([...(a.queues ?? []), ...(b.queues ?? [])])] } : {}),
    ...(lanes.size > 0 ? { lanes: [...lanes] } : {}),
    ...(Number.isFinite(scheduledAt) ? { scheduledAt } : {}),
    ...(a.schedules || b.schedules ? { schedules: true as const } : {}),
    ...(a.cancellation || b.cancellation ? { cancellation: true as const } : {}),
    ...(finished.length > 0 ? { finished } : {}),
    ...(a.unknown || b.unknown ? { unknown: true as const } : {}),
  };
}
