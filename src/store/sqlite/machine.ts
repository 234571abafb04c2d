/**
 * This process among those that may share the file: its clocks, and what tells whether another one is still alive.
 * Lives are measured on the machine's monotonic clock, which no NTP step and no person can move.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { type Clock, systemClock } from "../../time/index.ts";

/** Both clocks at one moment. */
export interface Instant {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The machine's monotonic milliseconds, the same in all of its processes. */
  readonly tick: number;
}

/** What identifies a process for as long as the machine is up. */
export interface ProcessMark {
  /** The kernel's boot id; empty where there is none, and then only the wall clock counts. */
  readonly boot: string;
  /** Pids mean something only within one namespace. */
  readonly namespace: string;
  readonly pid: number;
  /** When it started, in the kernel's ticks: a pid that was given to another process is told apart by it. */
  readonly started: string;
}

/** A life in the store: until when, on both clocks, and on which boot the monotonic one counts. */
export interface Expiry {
  readonly expires_at: number;
  readonly expires_tick: number;
  readonly boot: string;
}

export class Machine {
  readonly mark: ProcessMark;
  readonly #clock: Clock;
  /** `performance.now()` starts with the process; the difference to the machine's own clock is constant. */
  readonly #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    const system = clock === systemClock;
    this.#offset = system ? Number(process.hrtime.bigint() / 1_000n) / 1_000 - clock.monotonic() : 0;
    const boot = readOr("/proc/sys/kernel/random/boot_id", "");
    this.mark = {
      // Ticks of a test's clock mean nothing to other processes.
      boot: boot === "" || system ? boot : `${boot}/${process.pid}`,
      namespace: linkOr("/proc/self/ns/pid", ""),
      pid: process.pid,
      started: startOf("self"),
    };
  }

  at(): Instant {
    return { now: Math.floor(this.#clock.now()), tick: Math.floor(this.#clock.monotonic() + this.#offset) };
  }

  /** Whether a life has run out. On another boot the monotonic clock says nothing, so the wall clock decides. */
  isOver(life: Expiry, at: Instant): boolean {
    const sameBoot = life.boot !== "" && life.boot === this.mark.boot;
    return sameBoot ? life.expires_tick <= at.tick : life.expires_at <= at.now;
  }

  /** Whether a process is certainly gone. Doubt means it lives. */
  isGone(other: ProcessMark): boolean {
    const { boot, namespace, pid } = this.mark;
    if (boot === "" || other.boot !== boot || other.namespace !== namespace || other.pid === pid) return false;
    try {
      process.kill(other.pid, 0);
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "ESRCH";
    }
    // The pid lives, but perhaps as another process. An unreadable start (hidepid) proves nothing.
    const started = startOf(String(other.pid));
    return started !== "" && other.started !== "" && started !== other.started;
  }
}

/** Field 22 of /proc/pid/stat; counted from behind the name, which may contain anything. */
function startOf(pid: string): string {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A dead process that its parent has not yet noticed still has its pid.
  return fields[0] === "Z" || fields[0] === "X" ? "dead" : (fields[19] ?? "");
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return otherwise; // not Linux, or hidden from us: the caller knows what to do without
  }
}

function linkOr(path: string, otherwise: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return otherwise; // as above
  }
}
