import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type RetryPolicy, retryDelay, storeBackoff } from "../../src/jobs/retry.ts";

const policy = (given: Partial<RetryPolicy>): RetryPolicy => ({
  attempts: 10,
  backoff: "exponential",
  delay: 1_000,
  maxDelay: 60_000,
  jitter: "none",
  retryOn: undefined,
  ...given,
});
const waits = (given: Partial<RetryPolicy>, random = 0.5) =>
  [1, 2, 3, 4, 10].map((failed) => retryDelay(policy(given), failed, undefined, random));

test("waits grow as their kind says, up to the longest", () => {
  assert.deepEqual(waits({ backoff: "exponential" }), [1_000, 2_000, 4_000, 8_000, 60_000]);
  assert.deepEqual(waits({ backoff: "linear" }), [1_000, 2_000, 3_000, 4_000, 10_000]);
  assert.deepEqual(waits({ backoff: "fixed" }), [1_000, 1_000, 1_000, 1_000, 1_000]);
  assert.deepEqual(waits({ backoff: (failed) => `${failed}m` }), [60_000, 60_000, 60_000, 60_000, 60_000]);
});

test("jitter spreads waits over their second half, or over all of them", () => {
  assert.deepEqual(waits({ backoff: "fixed", jitter: "equal" }, 0)[0], 500);
  assert.deepEqual(waits({ backoff: "fixed", jitter: "equal" }, 0.5)[0], 750);
  assert.deepEqual(waits({ backoff: "fixed", jitter: "full" }, 0)[0], 0);
  assert.deepEqual(waits({ backoff: "fixed", jitter: "full" }, 0.25)[0], 250);
});

test("a wait is a whole number between nothing and the longest, whatever the policy", () => {
  fc.assert(
    fc.property(
      fc.record({
        backoff: fc.constantFrom("exponential" as const, "linear" as const, "fixed" as const),
        jitter: fc.constantFrom("none" as const, "equal" as const, "full" as const),
        delay: fc.integer({ min: 0, max: 1e12 }),
        maxDelay: fc.integer({ min: 0, max: 1e12 }),
      }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (given, failed, random) => {
        const wait = retryDelay(policy(given), failed, undefined, random);
        assert.ok(Number.isInteger(wait) && wait >= 0 && wait <= given.maxDelay, String(wait));
      },
    ),
  );
});

test("a back-off function that gives nonsense is an error that names the value", () => {
  const broken = policy({ backoff: () => "soon" as "1s" });
  assert.throws(() => retryDelay(broken, 1, undefined, 0), {
    code: "NS_DURATION_INVALID",
    message: /back-off function's result is "soon"/,
  });
});

test("the engine's own waits for the store grow from 50 ms to at most 5 seconds", () => {
  assert.equal(storeBackoff(1, 0), 50);
  assert.equal(storeBackoff(1, 1), 100);
  assert.equal(storeBackoff(3, 1), 400);
  assert.equal(storeBackoff(1_000, 1), 5_000);
});
