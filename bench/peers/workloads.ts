/** What is measured: each with its place in the tables. */
import type { Measured } from "../measure.ts";

const NAMES = {
  one: ["enqueue, one by one", "jobs/s"],
  hundred: ["enqueue, 100 concurrent", "jobs/s"],
  bulk: ["enqueue, 10,000 in a call", "jobs/s"],
  drain: ["drain, 1 process", "jobs/s"],
  drainTwo: ["drain, 2 processes", "jobs/s"],
  drainFour: ["drain, 4 processes", "jobs/s"],
  cpu: ["processor time of Node per job drained", "µs"],
  serverCpu: ["processor time of the server per job drained", "µs"],
  peak: ["peak memory of the process that drains", "MiB"],
  wal: ["WAL per job, in and out", "bytes"],
  sustained: ["sustained: a producer and a worker process", "jobs/s"],
  p50: ["latency at 50 jobs/s, same process, p50", "ms"],
  p99: ["latency at 50 jobs/s, same process, p99", "ms"],
  otherP50: ["latency at 50 jobs/s, other process, p50", "ms"],
  otherP99: ["latency at 50 jobs/s, other process, p99", "ms"],
  stored: ["time until it is stored at 50 jobs/s, p50", "ms"],
  idleNode: ["idle worker: Node", "ms/s"],
  idleServer: ["idle worker: server", "ms/s"],
  idleStatements: ["idle worker: transactions on the server", "/s"],
  million: ["drain, 1,000,000 jobs", "jobs/s"],
  millionPeak: ["peak memory, 1,000,000 jobs drained", "MiB"],
  millionGrowth: ["memory at the end, beside that after a third of them", "×"],
  alone: ["drain, empty tables", "jobs/s"],
  crowded: ["drain beside 1,000,000 finished and 1,000,000 scheduled", "jobs/s"],
  clean: ["drain, no snapshot held", "jobs/s"],
  held: ["drain, the last 20 s of a snapshot held for 90 s", "jobs/s"],
} as const satisfies Readonly<Record<string, readonly [string, Measured["unit"]]>>;

export type Workload = keyof typeof NAMES;
export const WORKLOADS = Object.keys(NAMES) as readonly Workload[];

export function titleOf(workload: Workload): string {
  return NAMES[workload][0];
}

export function unitOf(workload: Workload): Measured["unit"] {
  return NAMES[workload][1];
}
