/** The process that holds one system: does one thing after the other as the driver says, and answers with figures. */
import { Shift, type ShiftFigures } from "./shift.ts";
import { now, type Payload, pause, payload, payloads, type Session } from "./system.ts";
import { entryOf } from "./systems/index.ts";

/** What the driver may ask, each with what it is answered. Times in milliseconds. */
export interface Questions {
  /** So many callers, each of which enqueues its next job when its last is stored. */
  enqueue(ask: { readonly width: number; readonly ms: number }): Stored;
  /** As many as said, by the system's bulk call where it has one, 10,000 a call unless told otherwise. */
  fill(ask: { readonly jobs: number; readonly call?: number }): Stored;
  /** One after the other, 50 a second. */
  pace(ask: { readonly jobs: number }): Stored & { readonly took: readonly number[] };
  crowd(ask: { readonly count: number }): null;
  /** Starts a worker that stops by itself after so long. */
  start(ask: { readonly ms: number; readonly latencies?: boolean }): null;
  seen(ask: object): Shift["seen"];
  stop(ask: object): ShiftFigures;
  /** Processor time that this process has spent. */
  cpu(ask: object): number;
  close(ask: object): null;
}

/** What was stored, and how fast. */
export interface Stored {
  readonly count: number;
  /** The sum of the jobs' numbers. */
  readonly sum: number;
  readonly rate: number;
}

export type Request = { [op in keyof Questions]: { readonly op: op } & Parameters<Questions[op]>[0] }[keyof Questions];
export type Answer = { readonly value: unknown } | { readonly error: string };

const CALL = 10_000;
const BEAT = 20;

const [system = "", place = ""] = process.argv.slice(2);
const entry = entryOf(system);
if (entry === undefined) throw new Error(`No system is called ${system}.`);
const open = await entry.load();
const session = await open(place);
let shift: Shift | undefined;
process.once("disconnect", () => process.exit()); // the driver is gone, or done with us
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined); // the driver decides
process.on("message", (request: Request) => {
  void perform(request).then(
    (value) => process.send?.({ value } satisfies Answer),
    (error: Error) => process.send?.({ error: error.stack ?? error.message } satisfies Answer),
  );
});
process.send?.({ value: null } satisfies Answer);

async function perform(request: Request): Promise<ReturnType<Questions[keyof Questions]>> {
  switch (request.op) {
    case "enqueue":
      return enqueueFor(session, request.width, request.ms);
    case "fill":
      return fill(session, request.jobs, request.call ?? CALL);
    case "pace":
      return pace(session, request.jobs);
    case "crowd":
      await session.crowd?.(request.count);
      return null;
    case "start":
      shift = await Shift.start(session, request.ms, request.latencies ?? false);
      return null;
    case "seen":
      return atWork().seen;
    case "stop":
      return atWork().stop();
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    }
    case "close":
      await session.close();
      setImmediate(() => process.disconnect?.());
      return null;
  }
}

function atWork(): Shift {
  if (shift === undefined) throw new Error("No worker was started.");
  return shift;
}

async function enqueueFor(to: Session, width: number, ms: number): Promise<Stored> {
  const started = now();
  let count = 0;
  let sum = 0;
  const caller = async () => {
    while (now() - started < ms) {
      const job = payload();
      await to.enqueue(job);
      count++;
      sum += job.n;
    }
  };
  await Promise.all(Array.from({ length: width }, caller));
  return { count, sum, rate: (count / (now() - started)) * 1_000 };
}

async function fill(to: Session, jobs: number, call: number): Promise<Stored> {
  const store = to.enqueueMany ?? ((many: readonly Payload[]) => Promise.all(many.map((one) => to.enqueue(one))));
  let spent = 0;
  let sum = 0;
  for (let done = 0; done < jobs; done += call) {
    const inputs = payloads(Math.min(call, jobs - done));
    const started = now();
    await store(inputs);
    spent += now() - started;
    for (const { n } of inputs) sum += n;
  }
  return { count: jobs, sum, rate: (jobs / spent) * 1_000 };
}

async function pace(to: Session, jobs: number): Promise<Stored & { readonly took: readonly number[] }> {
  const started = now();
  const sent: Promise<number>[] = [];
  const took: number[] = [];
  const send = async () => {
    const job = payload();
    const asked = now();
    await to.enqueue(job);
    took.push(now() - asked);
    return job.n;
  };
  for (let n = 0; n < jobs; n++) {
    await pause(Math.max(0, started + n * BEAT - now()));
    sent.push(send());
  }
  const sum = (await Promise.all(sent)).reduce((total, n) => total + n, 0);
  return { count: jobs, sum, rate: 1_000 / BEAT, took };
}
