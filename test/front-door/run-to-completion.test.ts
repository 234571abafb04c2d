/** A host that stops when its work is done, with jobs beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHost, cron, defineJob, Jobs, type Resolver, silentLogger } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";

test("the engine of jobs and schedules does not keep a host running that stops when all is completed", async () => {
  const done: string[] = [];
  const job = defineJob({ name: "step", run: () => void done.push("job") });
  const builder = createHost({ signals: false, logger: silentLogger, stopWhenAllCompleted: true });
  builder.addJobs({ store: memory(), jobs: [job] });
  builder.addSchedule({ id: "yearly", trigger: cron("0 0 1 1 *"), job });
  builder.addHostedService(
    (services: Resolver) => ({
      async execute() {
        const handle = await services.get(Jobs).enqueue(job);
        while ((await handle.state()) !== "succeeded") await new Promise<void>((resolve) => setImmediate(resolve));
        done.push("service");
      },
    }),
    { name: "importer" },
  );
  await builder.build().run();
  assert.deepEqual(done, ["job", "service"]);
});
