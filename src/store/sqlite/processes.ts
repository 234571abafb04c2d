/** Who has the file open: needed because an old SQLite may damage it when several processes write. */
import { threadId } from "node:worker_threads";
import { NightshiftError } from "../../errors/index.ts";
import type { ProcessMark } from "./machine.ts";
import { ALL_PROCESSES, DELETE_PROCESS, INSERT_PROCESS } from "./sql/schema.ts";
import type { Transaction } from "./transaction.ts";

/** The first version without the WAL-reset bug, by which two connections that write and checkpoint at once can damage a file. */
const SAFE_FOR_SEVERAL = "3.51.3";

interface ProcessRow extends ProcessMark {
  readonly store: string;
  readonly engine: string;
}

/** A mark of one store object: threads share a pid, but not a connection. */
export function newStoreMark(random: string): string {
  return `${threadId}:${random}`;
}

/**
 * Enters this process into the list, dead ones taken out.
 *
 * @throws NS_STORE_UNSUPPORTED when others have the file open and theirs or ours is a SQLite older than 3.51.3
 */
export function enterProcess(tx: Transaction, path: string, store: string, engine: string): void {
  const { boot, namespace, pid, started } = tx.machine.mark;
  for (const other of tx.on.all<ProcessRow>(ALL_PROCESSES)) {
    if (tx.machine.isGone(other) || (boot !== "" && other.boot !== boot && other.namespace === namespace)) {
      leaveProcess(tx, other, other.store);
    } else if (!(other.pid === pid && other.started === started && sameThread(other.store, store))) {
      refuseOld(path, engine, "this process", other);
      refuseOld(path, other.engine, `process ${other.pid}`, other);
    }
  }
  tx.on.run(INSERT_PROCESS, boot, namespace, pid, started, store, engine, tx.at.now);
}

export function leaveProcess(tx: Transaction, { boot, namespace, pid, started }: ProcessMark, store: string): void {
  tx.on.run(DELETE_PROCESS, boot, namespace, pid, started, store);
}

function sameThread(a: string, b: string): boolean {
  return a.split(":")[0] === b.split(":")[0];
}

function refuseOld(path: string, engine: string, who: string, other: ProcessRow): void {
  if (isAtLeast(engine, SAFE_FOR_SEVERAL)) return;
  const message = `${path} is open in process ${other.pid} already, and ${who} has SQLite ${engine}: before ${SAFE_FOR_SEVERAL}, several processes on one file can damage it (the WAL-reset bug). Use a newer Node.js, or one process.`;
  throw new NightshiftError("NS_STORE_UNSUPPORTED", message, { details: { path, engine, needs: SAFE_FOR_SEVERAL } });
}

/** Whether a dotted version is at least another. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = version.split(".").map(Number);
  const wanted = least.split(".").map(Number);
  for (const [index, part] of wanted.entries()) {
    const own = parts[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
