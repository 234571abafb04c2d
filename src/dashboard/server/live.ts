/**
 * The live stream: server-sent events with the overview, once a second at most, made once for everybody who listens and
 * not at all when nobody does. A connection ends after a while and the browser comes back: its right to look is then
 * judged anew.
 */
import type { Timer } from "../../time/index.ts";
import { readOverview } from "./api/overview.ts";
import { withSecurity } from "./headers.ts";
import type { DashboardParts } from "./parts.ts";
import { Refusal } from "./refusal.ts";

const BEAT = 1_000;
const LONGEST_CONNECTION = 10 * 60_000;
const MOST_CONNECTIONS = 100;
/** Beats that may wait unread in a connection before it is dropped. */
const MOST_UNREAD = 5;

interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly until: number;
}

/** Everybody who listens. */
export class LiveStream {
  readonly #parts: DashboardParts;
  readonly #listeners = new Set<Listener>();
  readonly #encoder = new TextEncoder();
  #timer: Timer | undefined;
  /** The last reading failed: a store that stays away is logged once, not each second. */
  #failing = false;
  #closed = false;

  constructor(parts: DashboardParts) {
    this.#parts = parts;
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  /** An endless answer of events, until the browser leaves. */
  respond(): Response {
    if (this.#closed) throw new Refusal(503, "The dashboard is stopping.");
    if (this.#listeners.size >= MOST_CONNECTIONS) throw new Refusal(503, "Too many pages listen already.");
    let listener: Listener | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          listener = { controller, until: this.#parts.clock.monotonic() + LONGEST_CONNECTION };
          this.#listeners.add(listener);
          controller.enqueue(this.#encoder.encode("retry: 2000\n\n"));
          if (this.#listeners.size === 1) this.#arm(0);
        },
        cancel: () => {
          if (listener !== undefined) this.#drop(listener);
        },
      },
      new CountQueuingStrategy({ highWaterMark: MOST_UNREAD }),
    );
    const headers = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    };
    return new Response(body, { headers: withSecurity(headers) });
  }

  /** Ends every connection. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) this.#end(listener);
  }

  #arm(delay: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(delay, () => void this.#beat(), { ref: false });
  }

  async #beat(): Promise<void> {
    const event = await this.#event();
    const now = this.#parts.clock.monotonic();
    for (const listener of this.#listeners) {
      // A reader that does not keep up, or has stayed its time, starts again with a new connection.
      if (now >= listener.until || (listener.controller.desiredSize ?? 0) <= 0) this.#end(listener);
      else listener.controller.enqueue(event);
    }
    if (this.#listeners.size > 0) this.#arm(BEAT);
  }

  async #event(): Promise<Uint8Array> {
    try {
      const overview = await readOverview(this.#parts);
      this.#failing = false;
      return this.#encoder.encode(`event: overview\ndata: ${JSON.stringify(overview)}\n\n`);
    } catch (error) {
      if (!this.#failing) this.#parts.logger.warn({ err: error }, "The dashboard's live numbers could not be read");
      this.#failing = true;
      return this.#encoder.encode("event: trouble\ndata: {}\n\n");
    }
  }

  #end(listener: Listener): void {
    this.#drop(listener);
    listener.controller.close();
  }

  #drop(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#timer?.cancel();
  }
}
