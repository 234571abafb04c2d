import assert from "node:assert/strict";
import { test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import { explanation, type Situation } from "../../src/jobs/client/explain.ts";
import { VERSION } from "../../src/jobs/index.ts";

const NOW = 1_000_000;
const job: Situation["job"] = {
  id: "1",
  name: "mail",
  queue: "default",
  priority: 0,
  state: "ready",
  parked: false,
  attempt: 0,
  maxAttempts: 5,
  createdAt: NOW,
  at: null,
  error: null,
  input: "null",
  meta: null,
  maxCrashes: 3,
  result: null,
  instance: null,
  cancelRequested: null,
  history: [],
};
const instance = {
  id: "1",
  name: "shop@web",
  host: "web",
  pid: 1,
  version: "0",
  queues: ["default"],
  names: ["mail"],
  concurrency: 1,
  startedAt: 0,
  expiresAt: NOW,
  running: 0,
};
const queue = { queue: "default", paused: null, ready: 3, parked: 0, scheduled: 0, running: 1, oldestReadyAt: 0 };
const finished = { succeeded: 0, dead: 0, cancelled: 0 };
const explain = (given: Partial<Situation["job"]>, rest: Partial<Situation> = {}) =>
  explanation({
    job: { ...job, ...given },
    counts: { queues: [queue], finished, retried: 0 },
    instances: [instance],
    now: NOW,
    ...rest,
  });
const error = JSON.stringify({ name: "Error", message: "no route" });

test("each state is explained in one sentence of its own", () => {
  assert.equal(explain({ state: "scheduled", at: NOW + 90_000 }), "It is to run later: it is due in 1m 30s.");
  assert.equal(
    explain({ state: "scheduled", at: NOW + 5_000, attempt: 2, error }),
    "It waits for its next attempt, due in 5s: attempt 2 of 5 is over (no route).",
  );
  assert.equal(
    explain({
      state: "running",
      at: NOW - 3_000,
      attempt: 1,
      instance: { name: "shop@web", host: "web", pid: 7, expiresAt: NOW + 1_000 },
      cancelRequested: "enough",
    }),
    "It is in the hands of a worker on shop@web (pid 7 on web) since 3s, attempt 1 of 5. Its cancellation was asked for: enough.",
  );
  assert.match(
    explain({ state: "running", attempt: 1, instance: { name: "w", host: "h", pid: 7, expiresAt: NOW - 40_000 } }),
    /attempt 1 of 5\. That process's time ran out 40s ago: the job is due to be given to another one\.$/,
  );
  assert.match(explain({ state: "dead", attempt: 5, error }), /^It is dead after 5 of 5 attempts \(no route\)/);
  assert.equal(explain({ state: "succeeded" }), "It has succeeded.");
  assert.match(explain({ state: "awaiting" }), /other jobs/);
  assert.match(explain({ state: "blocked" }), /concurrency key/);
});

test("a ready job is explained by its queue's pause, by who runs, and by what they know", () => {
  assert.equal(explain({}), "It is ready and waits for a free worker of shop@web. 2 more are ready in its queue.");
  const paused = { ...queue, paused: { reason: null, since: 0 } };
  const counts = { queues: [paused], finished, retried: 0 };
  assert.equal(explain({}, { counts }), 'The queue "default" is paused.');
  assert.match(explain({}, { instances: [] }), /^No worker is running/);
  assert.equal(explain({ queue: "eu" }), 'No running instance serves the queue "eu"; running are shop@web.');
  assert.equal(
    explain({ name: "fax" }),
    'No instance that serves the queue "default" knows a job named "fax"; running are shop@web.',
  );
});

test("the version that instances tell is the package's", () => {
  assert.equal(VERSION, packageJson.version);
});
