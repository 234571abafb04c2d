/**
 * What each size needs, worked out from what a job costs: writes the tables of docs/guides/scaling.md between their marks.
 * The costs are measured (bench/shards.ts, kept in bench/shards.json); everything else here is arithmetic.
 *
 *     node bench/model.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** A cost of a job by itself, and of the call that carries it and others. */
export interface Part {
  readonly perJob: number;
  readonly perCall: number;
}

/** What jobs cost; times in microseconds of one core. */
export interface JobCost {
  readonly nodeIn: Part;
  readonly nodeOut: Part;
  readonly serverIn: Part;
  readonly serverOut: Part;
  /** In and out, history included, with inputs of {@link inputBytes}. */
  readonly walIn: Part;
  readonly walOut: Part;
  /** What a finished job takes while it is kept. */
  readonly diskBytes: number;
  readonly inputBytes: number;
}

/** What is wanted. */
export interface Load {
  readonly jobsPerSecond: number;
  /** How long finished jobs are kept, in days. */
  readonly days: number;
  readonly inputBytes: number;
  /** How long a handler takes, in milliseconds, most of it waiting. */
  readonly handlerMs: number;
  /** Jobs in one call: 1 for `enqueue`, more for `enqueueMany`. */
  readonly jobsPerCall: number;
}

/** What is taken for granted of the machines. */
export interface Machines {
  readonly serverCores: number;
  /** How much of its processors a server may use for jobs, so that it is not at its limit on a bad day. */
  readonly use: number;
  /** Bytes of write-ahead log a second that one server's disks take for hours. */
  readonly walBytesPerSecond: number;
  /** Bytes that one server may hold. */
  readonly diskBytes: number;
  /** How long a commit waits for the disk, in milliseconds. */
  readonly commitMs: number;
  /** Handlers at once in one worker process. */
  readonly concurrency: number;
  /** Connections of one process to each shard. */
  readonly connections: number;
}

export interface Need {
  readonly shards: number;
  /** What asks for so many. */
  readonly because: "one is enough" | "processors" | "write-ahead log" | "disk";
  readonly serverCores: number;
  readonly nodeCores: number;
  readonly walBytesPerSecond: number;
  readonly diskBytes: number;
  /** Worker processes: for the handlers that run at once, and for a core each of the library's own work. */
  readonly processes: number;
  /** To each server. */
  readonly connections: number;
  /** Commits a second, over all servers. */
  readonly commits: number;
}

export const MACHINES: Machines = {
  serverCores: 16,
  use: 0.5,
  walBytesPerSecond: 100e6,
  diskBytes: 4e12,
  commitMs: 1,
  concurrency: 100,
  connections: 6,
};

/** A worker settles and claims in one call at most this often, when nobody waits for it. */
const WINDOW_MS = 4;
/** Enqueueing calls of one process to one database that are under way at once; what comes meanwhile shares the next. */
const UNDER_WAY = 2;

/** What a load needs. More shards mean smaller calls, and those cost more: so it is worked out until it holds. */
export function needOf(load: Load, cost: JobCost, machines: Machines = MACHINES): Need {
  let need = needWith(1, load, cost, machines);
  for (let shards = need.shards; shards > 1; shards = need.shards) {
    need = needWith(shards, load, cost, machines);
    if (need.shards <= shards) return { ...need, shards };
  }
  return need;
}

function needWith(shards: number, load: Load, cost: JobCost, machines: Machines): Need {
  const rate = load.jobsPerSecond;
  const more = load.inputBytes - cost.inputBytes;
  const forHandlers = Math.ceil((rate * load.handlerMs) / 1_000 / machines.concurrency);
  let processes = Math.max(1, forHandlers);
  for (;;) {
    // Jobs that one call carries: what a process has while it waits. Each works the queues of one database, and enqueues to all.
    const each = rate / processes / 1_000;
    const out = Math.max(1, each * Math.max(WINDOW_MS, machines.commitMs));
    const into = Math.max(load.jobsPerCall, (each / shards) * (machines.commitMs / UNDER_WAY));
    const per = ({ perJob, perCall }: Part, batch: number) => perJob + perCall / batch;
    const nodeCores = (rate * (per(cost.nodeIn, into) + per(cost.nodeOut, out))) / 1e6;
    const enough = Math.max(1, forHandlers, Math.ceil(nodeCores / 0.7));
    if (enough > processes) {
      processes = enough;
      continue;
    }
    const serverCores = (rate * (per(cost.serverIn, into) + per(cost.serverOut, out))) / 1e6;
    const wal = rate * (per(cost.walIn, into) + per(cost.walOut, out) + more);
    const disk = rate * 86_400 * load.days * (cost.diskBytes + more);
    const reasons = [
      ["processors", serverCores / (machines.serverCores * machines.use)],
      ["write-ahead log", wal / machines.walBytesPerSecond],
      ["disk", disk / machines.diskBytes],
    ] as const;
    const [because, most] = reasons.reduce((worst, reason) => (reason[1] > worst[1] ? reason : worst));
    const needed = Math.max(1, Math.ceil(most));
    return {
      ...{ serverCores, nodeCores, processes, shards: needed, diskBytes: disk, walBytesPerSecond: wal },
      because: needed === 1 ? "one is enough" : because,
      connections: processes * machines.connections,
      commits: rate / into + rate / out,
    };
  }
}

interface Figures {
  readonly nodeMicros: number;
  readonly serverMicros: number;
  readonly walBytes: number;
}
type Run = Readonly<Record<"largeIn" | "callers" | "smallIn" | "largeOut" | "smallOut", Figures>> & {
  readonly diskBytesPerFinishedJob: number;
};
/** What bench/shards.ts writes. */
export interface Measured {
  readonly date: string;
  readonly node: string;
  readonly postgres: string;
  readonly cores: number;
  readonly processor: string;
  readonly inputs: number;
  readonly "1 shard": Run;
  readonly "2 shards": Run;
}

/** The whole worker's share of Node's time for a job, the store's included: bench/RESULTS.md, "Beside the peers", 2026-11-26. */
const WORKER_MICROS = 6;

/** The measured costs, parted into what a job and what a call takes: two points give a line. */
export function costOf({ "1 shard": run, inputs }: Measured): JobCost {
  const line = (small: number, large: number, smallJobs: number): Part => {
    const perCall = Math.max(0, (small - large) / (1 / smallJobs - 1 / LARGE_JOBS));
    return { perJob: Math.max(0, large - perCall / LARGE_JOBS), perCall };
  };
  const part = (way: "In" | "Out", what: keyof Figures, smallJobs: number) =>
    line(run[`small${way}`][what], run[`large${way}`][what], smallJobs);
  const out = part("Out", "nodeMicros", 2);
  return {
    nodeIn: part("In", "nodeMicros", 1),
    nodeOut: { perJob: Math.max(out.perJob, WORKER_MICROS - out.perCall / 500), perCall: out.perCall },
    serverIn: part("In", "serverMicros", 1),
    serverOut: part("Out", "serverMicros", 2),
    walIn: part("In", "walBytes", 1),
    walOut: part("Out", "walBytes", 2),
    diskBytes: run.diskBytesPerFinishedJob,
    inputBytes: inputs,
  };
}

/** Jobs in the large calls of the measurement. */
const LARGE_JOBS = 1_000;

const SIZES: readonly Load[] = [
  { jobsPerSecond: 10, days: 30, inputBytes: 500, handlerMs: 50, jobsPerCall: 1 },
  { jobsPerSecond: 1_000, days: 7, inputBytes: 500, handlerMs: 50, jobsPerCall: 1 },
  { jobsPerSecond: 10_000, days: 3, inputBytes: 500, handlerMs: 50, jobsPerCall: 1 },
  { jobsPerSecond: 50_000, days: 1, inputBytes: 500, handlerMs: 20, jobsPerCall: 10 },
  { jobsPerSecond: 200_000, days: 1, inputBytes: 300, handlerMs: 20, jobsPerCall: 100 },
  { jobsPerSecond: 1_000_000, days: 0.25, inputBytes: 200, handlerMs: 10, jobsPerCall: 100 },
];

export function sizesTable(cost: JobCost): string {
  const lines = SIZES.map((load) => {
    const need = needOf(load, cost);
    const cells = [
      load.jobsPerSecond.toLocaleString("en"),
      `${load.inputBytes} B, ${load.handlerMs} ms, ${load.jobsPerCall} a call, kept ${load.days} d`,
      `${need.shards}${need.shards > 1 ? ` (${need.because})` : ""}`,
      round(need.serverCores),
      round(need.nodeCores),
      round(need.commits),
      `${round(need.walBytesPerSecond / 1e6)} MB/s`,
      bytes(need.diskBytes),
      need.processes.toLocaleString("en"),
      need.connections.toLocaleString("en"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| jobs/s | jobs | shards | server cores busy | Node cores busy | commits/s | log | disk | processes | connections to each |",
    "|---:|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

function costsTable(measured: Measured): string {
  const ways = [
    ["in: 1,000 a call", "largeIn"],
    ["in: 100 callers, one each", "callers"],
    ["in: 1 caller, one each", "smallIn"],
    ["out: 1,000 a call", "largeOut"],
    ["out: 2 a call", "smallOut"],
  ] as const;
  const cells = (run: Run) =>
    ways.map(([, way]) => {
      const { nodeMicros, serverMicros, walBytes } = run[way];
      return `${round(nodeMicros)} µs | ${round(serverMicros)} µs | ${round(walBytes)} B`;
    });
  const [one, two] = [cells(measured["1 shard"]), cells(measured["2 shards"])];
  const { date, node, postgres, cores, processor, inputs } = measured;
  const disk = round(measured["1 shard"].diskBytesPerFinishedJob);
  return [
    `${date} · Node ${node} · PostgreSQL ${postgres} · ${cores} × ${processor}, client and server on one machine · fsync and`,
    `synchronous_commit on · inputs of ${inputs} bytes · ${disk} bytes of disk for each finished job that is kept`,
    "",
    "| per job | Node | server | log | Node, 2 shards | server | log |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...ways.map(([name], index) => `| ${name} | ${one[index]} | ${two[index]} |`),
  ].join("\n");
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));
}

function bytes(value: number): string {
  return value >= 1e12 ? `${round(value / 1e12)} TB` : `${round(value / 1e9)} GB`;
}

/** Puts text between a pair of marks. */
function between(page: string, mark: string, text: string): string {
  const [begin, end] = [`<!-- begin ${mark} -->`, `<!-- end ${mark} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`The page has no marks for ${mark}.`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** The guide with its tables made anew. */
export function withTables(page: string, measured: Measured): string {
  return between(between(page, "costs", costsTable(measured)), "sizes", sizesTable(costOf(measured)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const here = new URL(".", import.meta.url);
  const measured = JSON.parse(readFileSync(new URL("shards.json", here), "utf8")) as Measured;
  const page = new URL("../docs/guides/scaling.md", here);
  writeFileSync(page, withTables(readFileSync(page, "utf8"), measured));
}
