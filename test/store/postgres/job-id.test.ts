/** Ids of jobs, and the text that people send in their place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Consecutive, idPrefix, jobId, parseJobId } from "../../../src/store/postgres/job-id.ts";

const buckets = fc.integer({ min: 0, max: 999_999_999 });
const numbers = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n });

test("an id is read as the day and the number that it was made of, however it was made", () => {
  const consecutive = new Consecutive();
  fc.assert(
    fc.property(buckets, numbers, (bucket, number) => {
      const id = jobId(bucket, String(number));
      assert.deepEqual(parseJobId(id), { bucket: String(bucket), id: String(number) });
      assert.equal(consecutive.of(idPrefix(bucket), String(number)), id);
    }),
  );
});

test("what is read as an id is one as it would be written, and fits PostgreSQL's integer and bigint", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 20 });
  const nearly = fc
    .tuple(digits, fc.constantFrom("-", "--", "-+", " -", "-\n", "−", ""), digits)
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string()), (text) => {
      const key = parseJobId(text);
      if (key === null) return;
      assert.equal(jobId(key.bucket, key.id), text);
      assert.equal(String(BigInt(key.id)), key.id);
      assert.ok(Number(key.bucket) < 2 ** 31 && BigInt(key.id) < 2n ** 63n);
    }),
    { numRuns: 2_000 },
  );
});

test("zeros before its numbers make it no id: a job has one", () => {
  for (const text of ["020784-7", "20784-07", "00-0", "20784-", "-7", "20784-7\n", " 20784-7"])
    assert.equal(parseJobId(text), null);
  assert.deepEqual(parseJobId("0-0"), { bucket: "0", id: "0" });
});
