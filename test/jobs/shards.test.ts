import assert from "node:assert/strict";
import { test } from "node:test";
import type { NightshiftError } from "../../src/errors/index.ts";
import { defineJob } from "../../src/jobs/index.ts";
import { makeSharded } from "../store/sharded/support.ts";
import { startEngine } from "./support/engine.ts";

const LIST = { names: ["a", "b"], queues: { here: "a", there: "b" } };

/** A handler that ends when told to. */
function gated(name: string, queue: string) {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const seen = { runs: 0, aborted: [] as string[] };
  const job = defineJob({
    ...{ name, queue },
    async run(_input, { signal }) {
      seen.runs++;
      await Promise.race([
        gate,
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            seen.aborted.push((signal.reason as NightshiftError).code);
            resolve();
          });
        }),
      ]);
      if (signal.aborted) throw signal.reason;
    },
  });
  return { job, seen, finish: () => open() };
}

test("a worker goes on with the queues of one shard while another is away, and each job is done once", async () => {
  const runs = new Map<string, number>();
  const count = (queue: string) =>
    defineJob({
      ...{ name: queue, queue },
      run: (_input, { id }) => void runs.set(id, (runs.get(id) ?? 0) + 1),
    });
  const [here, there] = [count("here"), count("there")];
  const { store, places, clock } = makeSharded(LIST);
  await using test = await startEngine({ jobs: [here, there], store, clock, leaseTtl: "10m" });
  const before = await test.jobs.enqueueMany(there, new Array(30).fill(undefined));
  places["b"]?.cut();
  await test.jobs.enqueueMany(here, new Array(30).fill(undefined));
  await clock.advance("5s");
  assert.equal((await test.jobs.list({ state: "succeeded", limit: 100 })).items.length, 30);
  places["b"]?.heal();
  await clock.advance("10s");
  assert.equal((await test.jobs.counts()).finished.succeeded, 60);
  assert.equal(runs.size, 60);
  for (const handle of before) assert.equal(runs.get(handle.id), 1);
});

test("outcomes of a shard that is away wait for it, while others are settled", async () => {
  const [here, there] = [gated("here", "here"), gated("there", "there")];
  const { store, places, clock } = makeSharded(LIST);
  await using test = await startEngine({ jobs: [here.job, there.job], store, clock, leaseTtl: "10m" });
  const first = await test.jobs.enqueue(here.job);
  const second = await test.jobs.enqueue(there.job);
  await clock.advance("1s");
  places["b"]?.cut();
  here.finish();
  there.finish();
  await clock.advance("20s");
  assert.equal(await first.state(), "succeeded");
  places["b"]?.heal();
  await clock.advance("5s");
  assert.equal(await second.state(), "succeeded");
  assert.deepEqual([there.seen.runs, there.seen.aborted], [1, []]);
});

test("jobs of a shard that is away for longer than their lease are aborted and run again, those of others run on", async () => {
  const [here, there] = [gated("here", "here"), gated("there", "there")];
  const { store, places, clock } = makeSharded(LIST);
  await using test = await startEngine({ jobs: [here.job, there.job], store, clock, leaseTtl: "30s" });
  const first = await test.jobs.enqueue(here.job);
  const second = await test.jobs.enqueue(there.job);
  await clock.advance("1s");
  places["b"]?.cut();
  await clock.advance("45s");
  assert.deepEqual([here.seen.aborted, there.seen.aborted], [[], ["NS_LEASE_LOST"]]);
  places["b"]?.heal();
  there.finish();
  await clock.advance("1m");
  assert.equal(await second.state(), "succeeded");
  assert.equal(there.seen.runs, 2);
  here.finish();
  await clock.advance("5s");
  assert.deepEqual([await first.state(), here.seen.runs], ["succeeded", 1]);
});

test("a worker that stops does not wait for ever for a shard that is away", async () => {
  const there = gated("there", "there");
  const { store, places, clock } = makeSharded(LIST);
  await using test = await startEngine({ jobs: [there.job], store, clock, drainTimeout: "1s" });
  await test.jobs.enqueue(there.job);
  await clock.advance("1s");
  places["b"]?.cut();
  there.finish();
  const time = new AbortController();
  const stopping = test.stop(time.signal);
  await clock.advance("8s");
  time.abort();
  await clock.advance("1s");
  await stopping;
  assert.match(test.logger.messages("error").join("\n"), /stops with outcomes that the store did not take \(1\)/);
  places["b"]?.heal();
});
