/** Enqueueing inside the application's own SQLite transaction, through a running host. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { z } from "zod";
import { createHost, defineJob, silentLogger } from "../../src/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { temporaryFolder } from "../support/folder.ts";

test("a job and the application's own row are written together or not at all", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "shop.db");
  const seen: string[] = [];
  const welcome = defineJob({
    name: "welcome",
    input: z.object({ to: z.email() }),
    output: z.string(),
    run({ to }) {
      seen.push(to);
      return `sent to ${to}`;
    },
  });
  const builder = createHost({ signals: false, logger: silentLogger });
  builder.addJobs({ store: sqlite(file), jobs: [welcome] });
  await using host = builder.build();
  await host.start();
  const shop = new DatabaseSync(file);
  shop.exec("CREATE TABLE customer (mail TEXT)");

  const signUp = async (mail: string, end: "COMMIT" | "ROLLBACK") => {
    shop.exec("BEGIN IMMEDIATE");
    shop.prepare("INSERT INTO customer VALUES (?)").run(mail);
    const enqueued = host.jobs.enqueue(welcome, { to: mail }, { tx: shop });
    // Not awaited first: the row is written when enqueue() returns.
    shop.exec(end);
    return enqueued;
  };
  const kept = await signUp("ada@example.com", "COMMIT");
  const dropped = await signUp("bob@example.com", "ROLLBACK");
  assert.equal(await kept.result({ timeout: "20s" }), "sent to ada@example.com");
  assert.equal(await dropped.state(), null);
  assert.deepEqual(seen, ["ada@example.com"]);

  shop.exec("BEGIN IMMEDIATE");
  await assert.rejects(host.jobs.enqueue(welcome, { to: "nobody" }, { tx: shop }), { code: "NS_JOB_INPUT" });
  shop.exec("COMMIT");
  shop.close();
  await host.stop();
});

test("on SQLite, retries, priorities and awaited results are what they are in memory", async () => {
  using folder = temporaryFolder();
  const order: string[] = [];
  const step = defineJob({
    name: "step",
    input: z.string(),
    retry: { attempts: 3, backoff: "fixed", delay: "20ms" },
    run(name, { attempt }) {
      order.push(name);
      if (name === "flaky" && attempt < 3) throw new Error("not yet");
    },
  });
  const builder = createHost({ signals: false, logger: silentLogger });
  builder.addJobs({ store: sqlite(join(folder.path, "jobs.db")), jobs: [step], concurrency: 1 });
  await using host = builder.build();
  await host.start();
  await host.jobs.pauseQueue("default");
  const low = await host.jobs.enqueue(step, "low", { priority: -1 });
  const flaky = await host.jobs.enqueue(step, "flaky");
  await host.jobs.enqueue(step, "high", { priority: 1 });
  await host.jobs.resumeQueue("default");
  await low.result({ timeout: "20s" });
  await flaky.result({ timeout: "20s" });
  assert.deepEqual(order, ["high", "flaky", "low", "flaky", "flaky"]);
  const details = await flaky.details();
  assert.deepEqual(
    details?.history.map((entry) => entry.what),
    ["retry", "retry", "succeeded"],
  );
  assert.equal((await host.jobs.counts()).retried, 2);
  await host.stop();
});
