/** Bad input, as a user of the whole library meets it: one clear error, before anything is written. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { problemsOf } from "../../src/errors/index.ts";
import {
  createHost,
  createJobs,
  cron,
  type Duration,
  defineJob,
  NightshiftError,
  silentLogger,
} from "../../src/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";

const greet = defineJob({ name: "greet", input: z.object({ name: z.string().min(1) }), run: () => undefined });

test("a duplicate name, an unknown option, a bad duration and a bad cron are reported together, and nothing is written", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "app.db");
  const again = defineJob({ name: "greet", timeout: "soon" as Duration, run: () => undefined });
  const builder = createHost({ name: "app", shutdownTimeout: "10 parsecs" as Duration });
  const options = { store: sqlite(file), jobs: [greet, again], concurency: 5 };
  builder.addJobs(options);
  builder.addSchedule({ id: "nightly", trigger: cron("61 * * * *" as string), job: greet, input: { name: "you" } });
  assert.throws(
    () => builder.build(),
    (error: unknown) => {
      assert.ok(error instanceof NightshiftError);
      const codes = problemsOf(error).map(({ code }) => code);
      for (const code of ["NS_JOB_DUPLICATE", "NS_OPTION_UNKNOWN", "NS_DURATION_INVALID", "NS_CRON_SYNTAX"] as const) {
        assert.ok(codes.includes(code), `${code} is not among the problems:\n${error.message}`);
      }
      assert.match(error.message, /Did you mean "concurrency"\?/);
      assert.match(error.message, /0-59/);
      assert.equal(codes.filter((code) => code === "NS_DURATION_INVALID").length, 2, error.message);
      return true;
    },
  );
  assert.equal(existsSync(file), false);
});

test("an input that its schema refuses is refused at enqueue, with the schema's issues, and not written", async () => {
  using folder = temporaryFolder();
  await using jobs = createJobs({ store: sqlite(join(folder.path, "app.db")), jobs: [greet], logger: silentLogger });
  await assert.rejects(jobs.enqueue(greet, { name: "" }), (error: unknown) => {
    assert.ok(error instanceof NightshiftError);
    assert.equal(error.code, "NS_JOB_INPUT");
    assert.match(error.message, /name/);
    assert.deepEqual(
      (error.details["issues"] as { path: string }[]).map(({ path }) => path),
      ["name"],
    );
    return true;
  });
  const many = [{ name: "a" }, { name: "b" }, { name: "" }];
  await assert.rejects(jobs.enqueueMany(greet, many), /\b2\b/);
  assert.deepEqual(
    (await jobs.counts()).queues.filter(({ ready }) => ready > 0),
    [],
  );
});

test("a job of a name that this process does not know is left for one that knows it, and shown as such", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "app.db");
  const future = defineJob({ name: "of-tomorrow", run: () => undefined });
  await using producer = createJobs({ store: sqlite(file), jobs: [future], logger: silentLogger });
  const handle = await producer.enqueue(future);

  const old = createHost({ name: "old", signals: false, logger: silentLogger });
  old.addJobs({ store: sqlite(file), jobs: [greet] });
  {
    await using host = old.build();
    await host.start();
    await eventually(async () => {
      const [queue] = (await host.jobs.counts()).queues;
      assert.equal(queue?.parked, 1);
    });
    assert.match(await host.jobs.explain(handle.id), /of-tomorrow/);
    await host.stop();
  }

  const young = createHost({ name: "young", signals: false, logger: silentLogger });
  young.addJobs({ store: sqlite(file), jobs: [greet, future] });
  await using host = young.build();
  await host.start();
  await eventually(async () => assert.equal(await handle.state(), "succeeded"));
  assert.equal((await handle.details())?.attempt, 1);
  await host.stop();
});

test("a file that is no database of ours is a clear error, and not touched", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "letter.db");
  writeFileSync(file, "Dear diary, this is not a database.\n".repeat(100));
  const before = createHash("sha256").update(readFileSync(file)).digest("hex");
  const builder = createHost({ signals: false, logger: silentLogger });
  builder.addJobs({ store: sqlite(file), jobs: [greet] });
  await using host = builder.build();
  await assert.rejects(host.start(), (error: unknown) => {
    assert.ok(error instanceof NightshiftError);
    assert.match(error.code, /^NS_STORE_(FOREIGN|CORRUPT)$/);
    assert.ok(error.message.includes("letter.db"), error.message);
    return true;
  });
  assert.equal(createHash("sha256").update(readFileSync(file)).digest("hex"), before);
  assert.equal(existsSync(`${file}-wal`), false);
});

test("that jobs are missing is one problem, however much needs them", () => {
  const builder = createHost({ signals: false });
  builder.addDashboard();
  builder.addSchedule({ id: "a", trigger: cron("0 3 * * *"), job: greet, input: { name: "Ada" } });
  const message =
    "NS_OPTION_INVALID: This application has a schedule and a dashboard, and no jobs. Call addJobs({ store, jobs }) as well.";
  assert.throws(() => builder.build(), { message });
});
