/** SQLite: enqueueing, draining, and being told by another process; beside the same rows through the bare driver. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Store } from "../../src/store/contract.ts";
import { type Contender, perSecond, type Workload } from "../measure.ts";
import type { Group } from "../run.ts";
import { drain, jobOf, openStore, registerWorker } from "./ours.ts";
import { RawFile } from "./raw.ts";

const PROGRAM = fileURLToPath(new URL("process.ts", import.meta.url));
const inputs = (count: number) => Array.from({ length: count }, (_, n) => JSON.stringify({ n, pad: "x".repeat(90) }));

export async function sqliteGroup(long: boolean): Promise<Group> {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-bench-"));
  const [one, hundred, bulk] = [inputs(1_000), inputs(10_000), inputs(10_000)];
  const full = await openStore({ path: join(folder, "full.db") });
  const normal = await openStore({ path: join(folder, "normal.db"), durability: "normal" });
  const rawFull = new RawFile(join(folder, "raw-full.db"), "FULL");
  const rawNormal = new RawFile(join(folder, "raw-normal.db"), "NORMAL");
  const worker = await registerWorker(full);
  const version = String(new DatabaseSync(":memory:").prepare("SELECT sqlite_version() AS v").get()?.["v"]);

  const oneByOne = (name: string, store: Store, raw: RawFile): Workload => ({
    name: `enqueue one by one, ${name}`,
    unit: "jobs/s",
    contenders: [
      {
        name: "nightshift",
        run: () =>
          perSecond(one.length, async () => {
            for (const input of one) await store.enqueue([jobOf(input)]);
          }),
      },
      {
        name: "bare driver, a transaction each",
        run: () =>
          perSecond(one.length, () => {
            for (const input of one) raw.enqueue([input]);
          }),
      },
    ],
  });

  const concurrent: Workload = {
    name: "enqueue, 100 concurrent callers, full",
    unit: "jobs/s",
    contenders: [
      {
        name: "nightshift",
        run: () =>
          perSecond(hundred.length, async () => {
            const caller = async (offset: number) => {
              for (let n = offset; n < hundred.length; n += 100) await full.enqueue([jobOf(hundred[n] ?? "")]);
            };
            await Promise.all(Array.from({ length: 100 }, (_, offset) => caller(offset)));
          }),
      },
      {
        name: "bare driver, 100 a transaction",
        run: () =>
          perSecond(hundred.length, () => {
            for (let n = 0; n < hundred.length; n += 100) rawFull.enqueue(hundred.slice(n, n + 100));
          }),
      },
    ],
  };

  const inBulk: Workload = {
    name: "enqueue 10,000 in one call, full",
    unit: "jobs/s",
    contenders: [
      {
        name: "nightshift",
        run: () => perSecond(bulk.length, async () => void (await full.enqueue(bulk.map((input) => jobOf(input))))),
      },
      { name: "bare driver, one transaction", run: () => perSecond(bulk.length, () => rawFull.enqueue(bulk)) },
    ],
  };

  const draining: Workload = {
    name: "drain 20,000, 1 process, batches of 200, history kept, full",
    unit: "jobs/s",
    contenders: [
      {
        name: "nightshift",
        run: async () => {
          await drain(full, worker, 1_000);
          for (let n = 0; n < 2; n++) await full.enqueue(bulk.map((input) => jobOf(input)));
          return perSecond(20_000, async () => void (await drain(full, worker, 200)));
        },
      },
      {
        name: "bare driver, the same steps",
        run: async () => {
          rawFull.drain(1_000);
          for (let n = 0; n < 2; n++) rawFull.enqueue(bulk);
          return perSecond(20_000, () => void rawFull.drain(200));
        },
      },
    ],
  };

  const together: Workload = {
    name: "drain 20,000, processes on one file, full",
    unit: "jobs/s",
    repetitions: 3,
    contenders: [4, 2, 1].map((processes) => ({
      name: `nightshift, ${processes} process${processes > 1 ? "es" : ""}`,
      run: () => drainTogether(join(folder, `drain-${processes}.db`), processes, bulk),
    })),
  };

  const telling: Workload = {
    name: "enqueue to claimed in another process, 50 a second, full",
    unit: "ms",
    repetitions: 3,
    contenders: [
      ...medianAndTail("nightshift", (round) => latency(join(folder, `latency-${round}.db`))),
      ...medianAndTail("limit: two commits of the bare driver", (round) => twoCommits(join(folder, `two-${round}.db`))),
    ],
  };

  const crowded: Workload = {
    name: "drain 20,000 with 1,000,000 finished and 1,000,000 scheduled jobs in the file",
    unit: "jobs/s",
    repetitions: 3,
    contenders: [
      { name: "nightshift, crowded file", run: crowdedDrain(join(folder, "crowded.db")) },
      ...draining.contenders.slice(0, 1),
    ],
  };

  return {
    about: [`SQLite ${version}`, "inputs of about 100 bytes"],
    workloads: [
      oneByOne("full", full, rawFull),
      oneByOne("normal", normal, rawNormal),
      concurrent,
      inBulk,
      draining,
      together,
      telling,
      ...(long ? [crowded] : []),
    ],
    async close() {
      for (const store of [full, normal]) await store.close();
      for (const raw of [rawFull, rawNormal]) raw.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function drainTogether(path: string, processes: number, bulk: readonly string[]): Promise<number> {
  const store = await openStore({ path });
  for (let n = 0; n < 2; n++) await store.enqueue(bulk.map((input) => jobOf(input)));
  const children = Array.from({ length: processes }, () => fork(PROGRAM, ["drain", path]));
  for (const child of children) await once(child, "message");
  const figure = await perSecond(20_000, async () => {
    const done = children.map((child) => once(child, "message"));
    for (const child of children) child.send("go");
    const drained = (await Promise.all(done)).reduce(
      (sum, [message]) => sum + (message as { drained: number }).drained,
      0,
    );
    if (drained !== 20_000) throw new Error(`${drained} jobs were drained of 20,000`);
  });
  await store.close();
  return figure;
}

/** The time from the call of enqueue to the job in the other process's hands, on the clock that both share. */
async function latency(path: string): Promise<readonly number[]> {
  const store = await openStore({ path });
  const child = fork(PROGRAM, ["answer", path]);
  await once(child, "message");
  const taken: number[] = [];
  for (let n = 0; n < 300; n++) {
    const answered = once(child, "message");
    const started = Number(process.hrtime.bigint()) / 1e6;
    await store.enqueue([jobOf("x")]);
    const [{ at }] = (await answered) as [{ at: number }];
    taken.push(at - started);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  child.send("end");
  await once(child, "exit");
  await store.close();
  return taken;
}

/** What such a latency cannot be below: the commit that stores and the commit that claims, at the same pace. */
async function twoCommits(path: string): Promise<readonly number[]> {
  const raw = new RawFile(path, "FULL");
  const taken: number[] = [];
  for (let n = 0; n < 300; n++) {
    const started = performance.now();
    raw.enqueue(["x"]);
    raw.enqueue(["x"]);
    taken.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  raw.close();
  return taken;
}

/** The median and the 99th percentile of the same run: two contenders, of which whoever comes first in a round takes it. */
function medianAndTail(name: string, run: (round: number) => Promise<readonly number[]>): Contender[] {
  let round = 0;
  let left: readonly number[] | null = null;
  const quantile = (at: number) => async () => {
    const taken = left ?? (await run(++round)).toSorted((a, b) => a - b);
    left = left === null ? taken : null;
    return taken[Math.floor(taken.length * at)] ?? Number.NaN;
  };
  return [
    { name: `${name}, p50`, run: quantile(0.5) },
    { name: `${name}, p99`, run: quantile(0.99) },
  ];
}

/** Fills the file once, then drains beside what is in it. */
function crowdedDrain(path: string): () => Promise<number> {
  let filled: Promise<readonly [Store, string]> | null = null;
  const fill = async () => {
    const store = await openStore({ path });
    const worker = await registerWorker(store);
    const bulk = inputs(10_000);
    for (let n = 0; n < 100; n++) {
      await store.enqueue(bulk.map((input) => jobOf(input)));
      await store.enqueue(bulk.map((input, k) => jobOf(input, { due: { in: 3_600_000 + n * 10_000 + k } })));
      await drain(store, worker, 1_000);
    }
    return [store, worker] as const;
  };
  return async () => {
    const [store, worker] = await (filled ??= fill());
    const bulk = inputs(10_000);
    for (let n = 0; n < 2; n++) await store.enqueue(bulk.map((input) => jobOf(input)));
    return perSecond(20_000, async () => void (await drain(store, worker, 200)));
  };
}
