/** What the log says when a handler keeps the event loop busy, short of losing its lease. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHost, defineJob } from "../../src/index.ts";
import { LoopWatch } from "../../src/jobs/upkeep/loop-watch.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger } from "../../src/telemetry/index.ts";
import { blockableClock } from "../support/blocked-clock.ts";
import { eventually } from "../support/eventually.ts";

/** A watch whose loop can be blocked: time passes, and no timer fires. */
function watched() {
  const { clock, blocked, block: stand } = blockableClock();
  const logger = capturingLogger();
  const watch = new LoopWatch({ logger, atWork: () => ["report (job 7)"], leaseTtl: 30_000, clock: blocked });
  watch.start();
  const block = async (milliseconds: number) => {
    stand(milliseconds);
    await clock.advance("1s");
  };
  return { clock, logger, watch, block };
}

test("a block is told with its length, who was at work and what to do; at most once a minute, and then with what was left out", async () => {
  const { clock, logger, watch, block } = watched();
  await clock.advance("10s");
  assert.deepEqual(logger.messages(), []);
  await block(900);
  assert.deepEqual(logger.messages(), [], "a hiccup");
  await block(2_000);
  const [first = ""] = logger.messages("warn");
  assert.match(first, /^The event loop was blocked for 2s or longer: .*At work: report \(job 7\)\. .*worker thread/);
  await block(5_000);
  await block(3_000);
  assert.equal(logger.messages().length, 1);
  await clock.advance("1m");
  await block(1_500);
  assert.match(
    logger.messages().at(-1) ?? "",
    /blocked for 1\.5s or longer \(and 2 times since this was said last, for 5s at most\)/,
  );
  await clock.advance("1m");
  await block(30_000);
  assert.equal(logger.messages().length, 2, "that its leases are lost is told where they are");
  watch.stop();
  assert.equal(clock.pendingTimers, 0);
});

test("a handler that blocks the loop of its process is named in the log", async () => {
  const logger = capturingLogger();
  const resize = defineJob({
    name: "image.resize",
    run() {
      const end = performance.now() + 2_100;
      while (performance.now() < end);
    },
  });
  const builder = createHost({ name: "shop", logger, signals: false });
  builder.addJobs({ store: memory(), jobs: [resize] });
  await using host = builder.build();
  await host.start();
  const { id } = await host.jobs.enqueue(resize);
  await eventually(() => {
    const said = logger.messages("warn").filter((message) => message.startsWith("The event loop was blocked"));
    assert.equal(said.length, 1);
    assert.ok(said[0]?.includes(`image.resize (job ${id}`), said[0]);
  });
  await host.stop();
});
