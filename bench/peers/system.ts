/** What every system here can do, so that one driver runs them all; a system's file translates this into its own API. */

/** The job's input, the same for all: about 130 bytes of JSON. */
export interface Payload {
  readonly to: string;
  readonly subject: string;
  readonly n: number;
  /** When it was enqueued, for the latency; on the clock of `performance.now()`. */
  readonly at: number;
}

export type Handler = (payload: Payload) => void;
/** Stops a worker; jobs that it has begun are finished. */
export type Stop = () => Promise<void>;

/** A system that is ready, in one process. */
export interface Session {
  /** Resolves when the job is stored. */
  enqueue(payload: Payload): Promise<unknown>;
  /** The system's own way to enqueue many, where it has one. */
  readonly enqueueMany?: (payloads: readonly Payload[]) => Promise<unknown>;
  /** Starts a worker. */
  work(handler: Handler): Promise<Stop>;
  close(): Promise<void>;
}

/** Opens a system at a place: the URL of a database, the path of a file. The first to open an empty place makes its tables. */
export type Open = (place: string) => Promise<Session>;

let made = 0;

export function payload(): Payload {
  return { to: "somebody@example.com", subject: "x".repeat(60), n: ++made, at: performance.now() };
}

export function payloads(count: number): readonly Payload[] {
  return Array.from({ length: count }, payload);
}
