/** What every system here can do, so that one driver runs them all; a system's file translates this into its own API. */

/** The job's input, the same for all: about 130 bytes of JSON. */
export interface Payload {
  readonly to: string;
  readonly subject: string;
  /** Counts the jobs of its process: the sums of what was stored and of what was handled must agree. */
  readonly n: number;
  /** When it was enqueued, on the clock of {@link now}. */
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
  /** Stores so many jobs that are due tomorrow, and as many finished ones where the system keeps those and has not done them. */
  readonly crowd?: (count: number) => Promise<unknown>;
  /** Starts a worker. */
  work(handler: Handler): Promise<Stop>;
  close(): Promise<void>;
}

/** Opens a system at a place: the URL of a database, the path of a file. The first to open an empty place makes its tables. */
export type Open = (place: string) => Promise<Session>;

/** Milliseconds on the machine's monotonic clock: one scale for all processes, and nobody sets it. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

let made = 0;

export function payload(): Payload {
  return { to: "somebody@example.com", subject: "x".repeat(60), n: ++made, at: now() };
}

export function payloads(count: number): readonly Payload[] {
  return Array.from({ length: count }, payload);
}
