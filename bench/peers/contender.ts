/** One repetition of one system: its processes, the workloads in their order, the figures. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Figures, Request } from "./child.ts";
import type { Place, Servers } from "./servers.ts";
import type { Entry } from "./systems/index.ts";

/** How long each workload may take, in milliseconds. */
export interface Times {
  readonly enqueue: number;
  readonly drain: number;
  readonly latency: number;
  readonly sustained: number;
}

export type Measure = (workload: string, figure: number) => void;

export const WORKLOADS = {
  one: "enqueue, one by one",
  hundred: "enqueue, 100 concurrent",
  bulk: "enqueue, 10,000 in a call",
  drain: "drain, 1 process",
  drainTwo: "drain, 2 processes",
  sustained: "sustained: a producer and a worker process",
  p50: "latency at 50 jobs/s, p50",
  p99: "latency at 50 jobs/s, p99",
  cpu: "processor time of Node per job drained",
  wal: "WAL per job, in and out",
} as const;

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** Long enough for a worker that asks every two seconds. */
const IDLE = 2_500;
/** Fewer jobs say nothing about the cost of one. */
const ENOUGH = 200;

/** Does all workloads once, on places of its own. */
export async function repetition(key: string, entry: Entry, servers: Servers, times: Times, measure: Measure) {
  const { only, calls = 4 } = entry;
  const enqueues = only?.includes("enqueue") ?? true;
  await at(entry, servers, async (place) => {
    await using one = await Process.start(key, place.address);
    const wal = async () => (entry.kind === "postgres" ? servers.walBytes() : 0);
    if (enqueues) {
      measure(WORKLOADS.one, (await one.ask({ op: "enqueue", width: 1, ms: times.enqueue })).rate);
      measure(WORKLOADS.hundred, (await one.ask({ op: "enqueue", width: 100, ms: times.enqueue })).rate);
    }
    const before = await wal();
    const filled = await one.ask({ op: "bulk", calls });
    const walIn = ((await wal()) - before) / filled.count;
    if (enqueues && filled.count > 0) measure(WORKLOADS.bulk, filled.rate);
    if (entry.kind === "postgres") await servers.analyze(place);
    const between = await wal();
    const drained = await one.ask({ op: "drain", ms: times.drain, idle: IDLE });
    measure(WORKLOADS.drain, drained.rate);
    if (drained.count < ENOUGH) return;
    measure(WORKLOADS.cpu, (drained.cpu / drained.count) * 1_000);
    if (entry.kind === "postgres") measure(WORKLOADS.wal, walIn + ((await wal()) - between) / drained.count);
    if (only !== undefined) return;
    await one.ask({ op: "bulk", calls });
    await using two = await Process.start(key, place.address);
    if (entry.kind === "postgres") await servers.analyze(place);
    const request = { op: "drain", ms: times.drain, idle: IDLE } as const;
    const both = await Promise.all([one.ask(request), two.ask(request)]);
    const busy = both.filter(({ count }) => count > 0);
    const span = Math.max(...busy.map(({ last }) => last)) - Math.min(...busy.map(({ first }) => first));
    measure(WORKLOADS.drainTwo, ((both[0].count + both[1].count) / span) * 1_000);
  });
  if (only !== undefined) return;
  await at(entry, servers, async (place) => {
    await using worker = await Process.start(key, place.address);
    const { count, latencies } = await worker.ask({ op: "latency", ms: times.latency });
    // Those who handled too few are not slow but stuck: a percentile of the rest would flatter them.
    if (count > 0.95) {
      const sorted = latencies.toSorted((a, b) => a - b);
      measure(WORKLOADS.p50, sorted[sorted.length >> 1] ?? Number.NaN);
      measure(WORKLOADS.p99, sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
    }
  });
  await at(entry, servers, async (place) => {
    await using worker = await Process.start(key, place.address);
    await using producer = await Process.start(key, place.address);
    const [worked] = await Promise.all([
      worker.ask({ op: "drain", ms: times.sustained, idle: IDLE }),
      producer.ask({ op: "enqueue", width: 100, ms: times.sustained }),
    ]);
    measure(WORKLOADS.sustained, worked.rate);
  });
}

async function at(entry: Entry, servers: Servers, use: (place: Place) => Promise<void>): Promise<void> {
  const place = await servers.place(entry.kind);
  if (place === undefined) return;
  try {
    await use(place);
  } finally {
    await place.dispose();
  }
}

/** A system in a process of its own. */
class Process implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  static async start(key: string, place: string): Promise<Process> {
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    const started = new Process(fork(CHILD, [key, place], { stdio: [...stdio], execArgv: ["--no-warnings"] }));
    await started.#answer(20_000);
    return started;
  }

  async ask(request: Request): Promise<Figures> {
    const answer = this.#answer(90_000);
    this.#child.send(request);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.send({ op: "close" } satisfies Request);
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), 6_000);
    await this.#exited;
    clearTimeout(impatient);
  }

  #answer(patience: number): Promise<Figures> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#child.off("message", heard);
        this.#child.off("exit", gone);
        settle();
      };
      const heard = (answer: Answer) =>
        done(() => ("figures" in answer ? resolve(answer.figures) : reject(new Error(answer.error))));
      const gone = (code: number | null) => done(() => reject(new Error(`The process ended with ${code}.`)));
      const timer = setTimeout(() => done(() => reject(new Error("No answer in time."))), patience);
      this.#child.on("message", heard);
      this.#child.on("exit", gone);
    });
  }
}
