/** Several real processes of one application with schedules, and what must hold of them whatever happens to them. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Store, StoredOccurrence } from "../../src/store/contract.ts";
import { type Child, startNode } from "../support/child.ts";

const INSTANCE = fileURLToPath(new URL("./instance.ts", import.meta.url));
const JUMPING = new URL("./jumping-clock.ts", import.meta.url).href;

/** Milliseconds between two occurrences of each schedule. */
export const EVERY = 250;
/** The schedules of an instance, by their misfire policies and overlap. */
export const IDS = ["all", "once", "skip", "some", "serial"];

/** How an instance is started. */
export interface InstanceOptions {
  /** The schema, when the store is PostgreSQL. */
  readonly schema?: string;
  /** Its wall clock jumps by up to this many milliseconds either way, several times a second. */
  readonly jumps?: number;
  /** The application's second version: it has `new` and no longer `some`. */
  readonly version?: 2;
}

/** @param store the path of a file, or the URL of a PostgreSQL server */
export async function startInstance(store: string, name: string, options: InstanceOptions = {}): Promise<Child> {
  const clock = options.jumps === undefined ? [] : ["--import", JUMPING];
  const env = options.jumps === undefined ? {} : { JUMPS: String(options.jumps) };
  const child = startNode(
    [...clock, INSTANCE, store, name, String(EVERY), options.schema ?? "", `${options.version ?? 1}`],
    { env },
  );
  await child.until(/started/);
  return child;
}

export async function stopGently(child: Child): Promise<void> {
  child.process.kill("SIGTERM");
  assert.deepEqual(await child.ended, { code: 0, signal: null });
}

/** What became of a schedule's occurrences, oldest first. */
export async function history(store: Store, id: string): Promise<StoredOccurrence[]> {
  const lines: StoredOccurrence[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.listOccurrences(id, { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...page.items);
    cursor = page.next;
  }
  return lines.reverse();
}

/** As many jobs as occurrences that made one, no job twice, no time left out between the first and the last. */
export async function assertOneJobEach(store: Store): Promise<number> {
  let made = 0;
  for (const id of IDS) {
    const lines = await history(store, id);
    const jobs = lines.flatMap(({ job }) => job ?? []);
    assert.equal(new Set(jobs).size, jobs.length);
    assert.equal(lines.filter(({ what }) => what === "fired").length, jobs.length);
    made += jobs.length;
    let at = lines[0]?.at ?? 0;
    for (const line of lines) {
      assert.equal(line.at, at, `${id}: the line at ${line.at} follows the one before`);
      at += EVERY * Number(/(\d+) occurrences until/.exec(line.reason ?? "")?.[1] ?? 1);
    }
  }
  const { finished, queues } = await store.counts();
  const live = queues.reduce((sum, queue) => sum + queue.ready + queue.scheduled + queue.running, 0);
  assert.equal(finished.succeeded + finished.dead + finished.cancelled + live, made);
  return made;
}
