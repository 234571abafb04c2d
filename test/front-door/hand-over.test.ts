/** A queue in memory that hands what is left over to durable jobs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHost, defineJob, silentLogger, unchecked } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { eventually } from "../support/eventually.ts";

test("what is left in a queue at the stop becomes jobs, and the next start works on it", async () => {
  const store = memory();
  const done: string[] = [];
  const later = defineJob({ name: "shrink", input: unchecked<string>(), run: (file) => void done.push(`job ${file}`) });
  const application = () => {
    const builder = createHost({ signals: false, logger: silentLogger });
    builder.addJobs({ store, jobs: [later] });
    const first = Promise.withResolvers<void>();
    const queue = builder.addBackgroundQueue({
      onStop: "hand-over",
      handOver: later,
      async run(file: string) {
        await first.promise;
        done.push(`item ${file}`);
      },
    });
    return { host: builder.build(), queue, first };
  };
  {
    const { host, queue, first } = application();
    await using _ = host;
    await host.start();
    for (const file of ["a", "b", "c"]) await queue.enqueue(file);
    const stopped = host.stop();
    await eventually(() => assert.equal(queue.size, 0)); // the stop has taken them; the current item goes on
    first.resolve();
    await stopped;
    assert.deepEqual(done, ["item a"]);
  }
  const { host } = application();
  await using _ = host;
  await host.start();
  await eventually(() => assert.deepEqual(done.toSorted(), ["item a", "job b", "job c"]));
  await host.stop();
});

test("a queue cannot hand over to a job that is not registered, nor without jobs at all", () => {
  const stranger = defineJob({ name: "stranger", input: unchecked<string>(), run: () => undefined });
  const queue = { onStop: "hand-over", handOver: stranger, run: (_: string) => undefined } as const;
  const other = createHost({ signals: false });
  other.addJobs({ store: memory(), jobs: [] });
  other.addBackgroundQueue(queue);
  assert.throws(() => other.build(), { code: "NS_JOB_UNKNOWN" });
  const without = createHost({ signals: false });
  without.addBackgroundQueue(queue);
  assert.throws(() => without.build(), {
    code: "NS_OPTION_INVALID",
    message: /a queue that hands over to jobs, and no jobs/,
  });
});
