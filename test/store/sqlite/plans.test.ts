/** The hot statements keep their plans: a lost index fails here, and not in production at a million jobs. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import * as claim from "../../../src/store/sqlite/sql/claim.ts";
import * as control from "../../../src/store/sqlite/sql/control.ts";
import * as counting from "../../../src/store/sqlite/sql/counting.ts";
import * as enqueue from "../../../src/store/sqlite/sql/enqueue.ts";
import * as inspection from "../../../src/store/sqlite/sql/inspection.ts";
import * as instances from "../../../src/store/sqlite/sql/instances.ts";
import * as leadership from "../../../src/store/sqlite/sql/leadership.ts";
import * as names from "../../../src/store/sqlite/sql/names.ts";
import * as promote from "../../../src/store/sqlite/sql/promote.ts";
import * as prune from "../../../src/store/sqlite/sql/prune.ts";
import * as rollup from "../../../src/store/sqlite/sql/rollup.ts";
import * as schedules from "../../../src/store/sqlite/sql/schedules.ts";
import * as settle from "../../../src/store/sqlite/sql/settle.ts";
import * as sweep from "../../../src/store/sqlite/sql/sweep.ts";
import * as transfer from "../../../src/store/sqlite/sql/transfer.ts";
import { newJob } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "./files.ts";

/** Tables with a row per process, queue, pause, role or letter: walking them is right. */
const SMALL = [
  "i",
  "l",
  "n",
  "nightshift_total",
  "nightshift_leader",
  "nightshift_identity",
  "nightshift_imported_lines",
  "nightshift_calendar",
  "nightshift_pause",
  "nightshift_cancellation",
];
/** Statements that walk in the order of a key on purpose: to count a narrow table, or to stop after the first rows. */
const WALKS = new Set([
  inspection.READY_BY_QUEUE,
  inspection.PARKED_BY_QUEUE,
  inspection.SCHEDULED_BY_QUEUE,
  inspection.RUNNING_BY_QUEUE,
  inspection.SUCCEEDED_DESCENDING,
  promote.NEXT_DUE,
  transfer.JOBS_AFTER,
  schedules.SCHEDULE_GROUPS,
]);

function planOf(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]));
}

/**
 * A walk over a table, or a sort. Steps of the recursive look-ups from one name, queue or lane to the next are neither,
 * nor is what an inner query, which is looked at as well, hands on.
 */
function isBad(detail: string): boolean {
  const scanned = /^SCAN (\S+)/.exec(detail)?.[1];
  if (scanned === undefined) return detail.includes("USE TEMP B-TREE");
  const step =
    scanned === "lane" || scanned === "CONSTANT" || scanned.startsWith("each_") || scanned.startsWith("(subquery");
  return !step && !SMALL.includes(scanned) && !/USING (COVERING )?INDEX|USING PRIMARY KEY/.test(detail);
}

test("no statement of the store walks a table that grows, or sorts", async () => {
  await using folder = new TestFolder();
  const store = await folder.open();
  await store.enqueue([newJob()]);
  const database = new DatabaseSync(folder.file());
  const rooms = {
    claim,
    control,
    counting,
    enqueue,
    inspection,
    instances,
    leadership,
    names,
    promote,
    prune,
    rollup,
    schedules,
    settle,
    sweep,
    transfer,
  };
  const bad: string[] = [];
  let looked = 0;
  for (const [room, statements] of Object.entries(rooms)) {
    for (const [name, sql] of Object.entries(statements)) {
      if (!WALKS.has(sql))
        bad.push(
          ...planOf(database, sql)
            .filter(isBad)
            .map((detail) => `${room}.${name}: ${detail}`),
        );
      assert.doesNotMatch(
        sql,
        /\?\d/,
        `${room}.${name}: older versions of node:sqlite cannot bind numbered parameters by place`,
      );
      looked++;
    }
  }
  assert.deepEqual(bad, []);
  assert.ok(looked > 60, `${looked} statements`);
  database.close();
});

test("the statements of the hot path are look-ups by key", async () => {
  await using folder = new TestFolder();
  await folder.open();
  const database = new DatabaseSync(folder.file());
  const plan = (sql: string) => planOf(database, sql).join(" | ");
  assert.match(
    plan(claim.HEAD_OF_QUEUE),
    /SEARCH r USING PRIMARY KEY \(queue_id=\?\) \| SEARCH j USING INTEGER PRIMARY KEY/,
  );
  assert.match(
    plan(claim.DELETE_HEAD),
    /SEARCH nightshift_ready USING PRIMARY KEY \(queue_id=\? AND \(rank,job_id\)<\(\?,\?\)\)/,
  );
  assert.match(plan(settle.HELD_LEASE), /SEARCH l USING INTEGER PRIMARY KEY .*SEARCH i USING INTEGER PRIMARY KEY/);
  assert.match(plan(control.LAST_FINISHED), /USING INDEX nightshift_finished_job \(job_id=\?\)/);
  assert.match(plan(promote.DUE_JOBS), /SEARCH nightshift_scheduled USING PRIMARY KEY \(run_at<\?\)/);
  assert.match(plan(promote.NEXT_DUE), /USING (COVERING INDEX|PRIMARY KEY)|SCAN nightshift_scheduled$/);
  assert.match(plan(schedules.DUE_SCHEDULES), /nightshift_schedule_due/);
  assert.match(plan(schedules.LIST_GROUP), /nightshift_schedule_group \(group_name=\? AND id>\?\)/);
  assert.match(plan(prune.OLD_BAD), /nightshift_finished_bad/);
  assert.match(plan(prune.OLD_IMPORTED), /nightshift_finished_imported \(what=\? AND at<\?\)/);
  assert.match(plan(transfer.JOBS_AFTER), /SEARCH j USING INTEGER PRIMARY KEY \(rowid>\?\)/);
  assert.match(plan(inspection.BAD_DESCENDING), /nightshift_finished_bad/);
  assert.match(plan(inspection.SCHEDULED_DESCENDING), /nightshift_scheduled_job/);
  assert.match(plan(instances.LEASES_OF_INSTANCE), /nightshift_lease_instance/);
  database.close();
});
