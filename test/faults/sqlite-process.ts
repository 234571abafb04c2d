/**
 * A process of its own on an SQLite file, for the fault tests to kill and freeze. It says on standard output what it
 * did and waits where it is told to: node sqlite-process.ts <produce|work|hold> <path> [key=value ...]
 */
import { randomInt } from "node:crypto";
import type { Lease, Outcome, Store } from "../../src/store/contract.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { newInstance, newJob, serving } from "../../src/testing/store-conformance/worker.ts";
import { sleep, systemClock } from "../../src/time/index.ts";

const [mode = "", path = "", ...rest] = process.argv.slice(2);
const options = Object.fromEntries(rest.map((text) => text.split("=") as [string, string]));
const number = (key: string, otherwise: number) => Number(options[key] ?? otherwise);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const REQUEST = { wants: [{ queue: "q", limit: number("limit", 20) }], names: new Set(["a"]) };

/** Enqueues until told otherwise; what is said to be accepted must never be lost. */
async function produce(store: Store): Promise<void> {
  const [count, batch, size] = [number("count", 1e9), number("batch", 1), number("size", 2)];
  for (let n = 0; n < count; n += batch) {
    const jobs = Array.from({ length: batch }, () =>
      newJob({ maxAttempts: 1_000, maxCrashes: 1_000, input: JSON.stringify("x".repeat(size)) }),
    );
    try {
      say(`accepted ${(await store.enqueue(jobs)).join(" ")}`);
    } catch (error) {
      say(`refused ${String((error as { code?: unknown }).code)} ${String(error)}`);
      if (options["once"] !== undefined) return;
      await sleep(systemClock, 20);
    }
  }
  say("produced");
}

/** Works as an engine does: heartbeat, promote, rescue, settle and claim in one step; some jobs fail and come again. */
async function work(store: Store): Promise<void> {
  const ttl = number("ttl", 2_000);
  const instance = await store.register(newInstance(`p${process.pid}`), ttl);
  let beat = systemClock.monotonic();
  let leases: readonly Lease[] = [];
  let idle = 0;
  say("working");
  while (idle < number("idle", 1e9)) {
    const settlements = leases.map(({ id, jobs }) => ({ lease: id, outcomes: jobs.map(outcomeOf) }));
    const step = await store.settleAndClaim(instance, settlements, REQUEST);
    for (const lease of step.refused) say(`stale ${lease}`);
    leases = step.leases;
    if (systemClock.monotonic() - beat > ttl / 3) {
      beat = systemClock.monotonic();
      if (!(await store.heartbeat(instance, ttl)).alive) return say("expired");
    }
    await store.promote(serving(["a"]), 1_000);
    await store.rescue(100);
    idle = leases.length === 0 ? idle + 1 : 0;
    if (leases.length === 0) await sleep(systemClock, 5);
  }
  await store.deregister(instance);
  say("done");
}

function outcomeOf({ id, attempt }: { readonly id: string; readonly attempt: number }): Outcome {
  if (attempt === 1 && randomInt(10) === 0) return { job: id, type: "retry", ms: 1, in: 5, error: "{}" };
  return { job: id, type: "succeeded", ms: 1 };
}

/** Claims, settles the first `settle` jobs, then stays as it is until it is told to go on by SIGUSR2: then it settles the rest. */
async function hold(store: Store): Promise<void> {
  const ttl = number("ttl", 600_000);
  const instance = await store.register(newInstance("holder"), ttl);
  const [lease] = await store.claim(instance, REQUEST);
  if (lease === undefined) return say("nothing");
  const outcome = ({ id: job }: { readonly id: string }) => ({ job, type: "succeeded" as const, ms: 1 });
  const settled = number("settle", 0);
  await store.settle(instance, [{ lease: lease.id, outcomes: lease.jobs.slice(0, settled).map(outcome) }]);
  const goOn = new Promise((resolve) => process.once("SIGUSR2", resolve));
  const alive = setInterval(() => undefined, 1_000);
  say(`holding ${lease.jobs.map(({ id }) => id).join(" ")}`);
  await goOn;
  clearInterval(alive);
  const { refused } = await store.settle(instance, [
    { lease: lease.id, outcomes: lease.jobs.slice(settled).map(outcome) },
  ]);
  const { alive: lives } = await store.heartbeat(instance, ttl);
  say(`refused ${refused.length} alive ${lives}`);
}

const MODES = new Map([
  ["produce", produce],
  ["work", work],
  ["hold", hold],
]);
const store = sqlite({
  path,
  busyTimeout: number("busy", 30_000),
  durability: options["durability"] === "normal" ? "normal" : "full",
});
await store.open({ clock: systemClock, logger: silentLogger });
await MODES.get(mode)?.(store);
await store.close();
say("closed");
