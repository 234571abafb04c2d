/** The process that holds one system: does one workload after the other as the driver says, and answers with figures. */
import { type Handler, payload, payloads, type Session } from "./system.ts";
import { SYSTEMS } from "./systems/index.ts";

/** What the driver may ask. Times in milliseconds. */
export type Request =
  | { readonly op: "enqueue"; readonly width: number; readonly ms: number }
  | { readonly op: "bulk"; readonly calls: number }
  | { readonly op: "drain"; readonly ms: number; readonly idle: number }
  | { readonly op: "latency"; readonly ms: number }
  | { readonly op: "close" };

/** The answers. `first` and `last` are moments that all processes share. */
export interface Figures {
  readonly count: number;
  /** Operations a second. */
  readonly rate: number;
  readonly first: number;
  readonly last: number;
  /** Processor time of this process, milliseconds. */
  readonly cpu: number;
  /** Milliseconds from the call to the handler; empty unless asked for. */
  readonly latencies: readonly number[];
}

export type Answer = { readonly figures: Figures } | { readonly error: string };

const NONE: Figures = { count: 0, rate: 0, first: 0, last: 0, cpu: 0, latencies: [] };
const BULK = 10_000;
const now = () => performance.timeOrigin + performance.now();
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const [system = "", place = ""] = process.argv.slice(2);
const entry = SYSTEMS[system];
if (entry === undefined) throw new Error(`No system is called ${system}.`);
const open = await entry.load();
const session = await open(place);
process.once("disconnect", () => process.exit()); // the driver is gone, or done with us
process.on("message", (request: Request) => {
  void perform(request).then(
    (figures) => process.send?.({ figures } satisfies Answer),
    (error: Error) => process.send?.({ error: error.stack ?? error.message } satisfies Answer),
  );
});
process.send?.({ figures: NONE } satisfies Answer);

async function perform(request: Request): Promise<Figures> {
  switch (request.op) {
    case "enqueue":
      await enqueueFor(session, request.width, 100);
      return enqueueFor(session, request.width, request.ms);
    case "bulk":
      return bulk(session, request.calls);
    case "drain":
      return drain(session, request);
    case "latency":
      return latency(session, request.ms);
    case "close":
      await session.close();
      setImmediate(() => process.disconnect?.());
      return NONE;
  }
}

/** So many callers, each of which enqueues its next job when its last is stored. */
async function enqueueFor(to: Session, width: number, ms: number): Promise<Figures> {
  const started = performance.now();
  let count = 0;
  const caller = async () => {
    while (performance.now() - started < ms) {
      await to.enqueue(payload());
      count++;
    }
  };
  await Promise.all(Array.from({ length: width }, caller));
  return { ...NONE, count, rate: (count / (performance.now() - started)) * 1_000 };
}

async function bulk({ enqueueMany }: Session, calls: number): Promise<Figures> {
  if (enqueueMany === undefined) return NONE;
  let spent = 0;
  for (let call = 0; call < calls; call++) {
    const inputs = payloads(BULK);
    const started = performance.now();
    await enqueueMany(inputs);
    spent += performance.now() - started;
  }
  return { ...NONE, count: calls * BULK, rate: ((calls * BULK) / spent) * 1_000 };
}

/** Works until the time is over, or nothing more comes. The rate is from the first handler to the last: no start-up in it. */
async function drain(of: Session, { ms, idle }: { ms: number; idle: number }): Promise<Figures> {
  let limit = Number.POSITIVE_INFINITY;
  const over = Promise.withResolvers<void>();
  let ended = false;
  let count = 0;
  let first = 0;
  let last = 0;
  let stopping: Promise<void> | undefined;
  let stop: (() => Promise<void>) | undefined;
  const end = () => {
    ended = true;
    over.resolve();
    if (stop !== undefined) stopping ??= stop();
  };
  const handler: Handler = () => {
    if (ended) return;
    last = now();
    if (count++ === 0) first = last;
    // Asked here too: a worker whose calls are synchronous lets no timer run.
    if (performance.now() > limit) end();
  };
  const before = process.cpuUsage();
  const started = await of.work(handler);
  stop = started;
  limit = performance.now() + ms;
  const timer = setInterval(() => {
    const quiet = count > 0 ? now() - last > idle : false;
    if (quiet || performance.now() > limit) end();
  }, 20);
  if (ended) end();
  await over.promise;
  clearInterval(timer);
  const { user, system } = process.cpuUsage(before);
  await stopping;
  return { ...NONE, count, first, last, cpu: (user + system) / 1_000, rate: rateOf(count, first, last) };
}

function rateOf(count: number, first: number, last: number): number {
  return count < 2 ? 0 : ((count - 1) / Math.max(1, last - first)) * 1_000;
}

/** 50 jobs a second, enqueued one by one in the process that works them. */
async function latency(of: Session, ms: number): Promise<Figures> {
  const latencies: number[] = [];
  const stop = await of.work(({ at }) => latencies.push(performance.now() - at));
  await pause(300);
  const warm = 20;
  const total = warm + Math.round(ms / 20);
  const started = performance.now();
  const sent: Promise<unknown>[] = [];
  for (let n = 0; n < total; n++) {
    await pause(Math.max(0, started + n * 20 - performance.now()));
    sent.push(of.enqueue(payload()));
  }
  await Promise.all(sent);
  const deadline = performance.now() + 2_000;
  while (latencies.length < total && performance.now() < deadline) await pause(20);
  await stop();
  return { ...NONE, count: latencies.length / total, latencies: latencies.slice(warm) };
}
