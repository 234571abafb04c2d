/** The processor time of servers, read from /proc where there is one. */
import { readdirSync, readFileSync } from "node:fs";

const TICK = 10; // milliseconds; a hundred a second on every Linux that Node runs on

/** Milliseconds that a process, the children that it has and those that it had have spent; undefined where nobody tells. */
export function serverTime(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  for (;;) {
    const before = statOf(pid);
    if (before === undefined) return undefined;
    const living = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.parent === pid)
      .reduce((sum, name) => sum + timeOf(Number(name)), 0);
    // A child that ended between the two would be missing in both.
    if (statOf(pid)?.ofTheDead === before.ofTheDead) return timeOf(pid) + before.ofTheDead + living;
  }
}

interface Stat {
  readonly parent: number;
  /** Of children that ended and were waited for: what they had spent moves here, so that the sum goes on. */
  readonly ofTheDead: number;
}

function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name before it may hold anything, parentheses too.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  return { parent: Number(fields[1]), ofTheDead: (Number(fields[13]) + Number(fields[14])) * TICK };
}

/** All threads of one process, in nanoseconds as the scheduler counts them: ticks are too coarse for an idle server. */
function timeOf(pid: number): number {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    return gone(error, 0);
  }
  return threads
    .map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(" ")[0] ?? 0) / 1e6)
    .reduce((sum, time) => sum + time, 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return gone(error, undefined);
  }
}

/** Processes end while they are looked at. */
function gone<T>(error: unknown, otherwise: T): T {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ESRCH") return otherwise;
  throw error;
}
