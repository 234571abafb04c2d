/**
 * A process that wants what many others want at the same moment: to be the one that creates a schedule, and that makes an
 * occurrence's job. It says what it got, and what it found where it got nothing:
 * node one-of-many-process.ts <sqlite|postgres> <path or url> <schema> <produce|work> <how many of each>
 */
import type { NewSchedule, Store } from "../../src/store/contract.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { newJob, succeeded, TestWorker } from "../../src/testing/store-conformance/worker.ts";
import { sleep, systemClock } from "../../src/time/index.ts";

const [kind = "", where = "", schema = "", mode = "", count = "0"] = process.argv.slice(2);
const AT_ONCE = 25;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const many = <T>(call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: AT_ONCE }, call));

const scheduleOf = (id: string): NewSchedule => ({
  ...{ id, group: "", source: "dynamic", job: "a", definition: "{}", nextAt: 1, paused: false, queue: "q" },
});

/** Each occurrence is asked for 25 times, and so is the one before it, which somebody has dealt with already. */
async function produce(store: Store): Promise<void> {
  for (let n = Number(count); n > 0; n--) {
    const written = await many(() => store.saveSchedules([scheduleOf(`s${n}`)], [0]));
    for (const [one] of written) if (one) say(`created s${n}`);
  }
  for (let at = 1; at <= Number(count); ) {
    const [seen] = await store.getSchedules(["s1"]);
    if (seen === undefined) throw new Error("Nobody has created it.");
    if ((seen.lastAt ?? 0) >= at) {
      const { items } = await store.listOccurrences("s1", { limit: 500 });
      say(`found ${at} ${items.find((one) => one.at === at)?.job}`);
      at++;
      continue;
    }
    const times = at === 1 ? [at] : [at - 1, at];
    const occurrences = times.map((time) => ({ at: time, what: "fired" as const, job: newJob() }));
    const fire = { schedule: "s1", revision: seen.revision, occurrences, nextAt: at + 1 };
    for (const [fired] of await many(() => store.fire([fire], `p${process.pid}`))) {
      if (fired?.stale !== false) continue;
      say(`moved ${at}`);
      for (const job of fired.jobs) if (job !== null) say(`made ${at} ${job}`);
    }
  }
  say("produced");
}

/** Ends each job as soon as it is there: an occurrence that is over makes no other one either. */
async function work(store: Store): Promise<void> {
  const worker = await TestWorker.register(store);
  for (let done = 0; done < Number(count); ) {
    for (const lease of await worker.claimLeases(5)) {
      await worker.settle(lease, ...lease.jobs.map(({ id }) => succeeded(id)));
      done += lease.jobs.length;
    }
    await sleep(systemClock, 1);
  }
  await store.deregister(worker.instance);
  say("worked");
}

const store = kind === "sqlite" ? sqlite(where) : postgres({ connectionString: where, schema });
await store.open({ clock: systemClock, logger: silentLogger });
// All begin together, when they are told to.
const told = new Promise((resolve) => process.once("SIGUSR2", resolve));
const alive = setInterval(() => undefined, 1_000);
say("ready");
await told;
clearInterval(alive);
await (mode === "work" ? work(store) : produce(store));
await store.close();
