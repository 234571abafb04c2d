/** Retention as an application says it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Problems } from "../../src/errors/index.ts";
import { type JobsOptions, readJobsOptions } from "../../src/jobs/engine-options.ts";
import { memory } from "../../src/store/memory/index.ts";

const DAY = 86_400_000;

function read(retention: JobsOptions["retention"]) {
  const problems = new Problems();
  const options = readJobsOptions({ store: memory(), jobs: [], ...(retention ? { retention } : {}) }, problems);
  return { retention: options.retention, messages: problems.found.map(({ message }) => message) };
}

test("retention is an age, an age and a count, a count alone, or for ever; what is left out has its default", () => {
  assert.deepEqual(read(undefined).retention, {
    succeeded: { age: 7 * DAY },
    dead: { age: 90 * DAY },
    cancelled: { age: 7 * DAY },
  });
  const given = { succeeded: { age: "1d", count: 1_000 }, dead: { count: 5 }, cancelled: "forever" } as const;
  assert.deepEqual(read(given).retention, { succeeded: { age: DAY, count: 1_000 }, dead: { count: 5 } });
});

test("a retention that cannot be meant is told with what is wrong", () => {
  const wrong = {
    succeeded: { count: -1 },
    dead: { ages: "1d" },
    canceled: "1d",
  } as unknown as JobsOptions["retention"];
  const { messages } = read(wrong);
  assert.equal(messages.length, 3, messages.join("\n"));
  assert.match(messages.join("\n"), /retention.succeeded: count is -1/);
  assert.match(messages.join("\n"), /"ages"\. Did you mean "age"/);
  assert.match(messages.join("\n"), /"canceled"\. Did you mean "cancelled"/);
});
