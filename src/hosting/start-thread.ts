/**
 * Starts the thread of a threaded service. In a file of its own, since it finds its neighbour by where it lies itself,
 * which a function within a bundle could not (scripts/build.ts keeps the two side by side).
 */
import { extname } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** The entry has the ending that this file has. */
const ENTRY = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);

export function startThread(options: WorkerOptions): Worker {
  return new Worker(ENTRY, options);
}
