import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { failureOf, failureText, parseFailure, reviveFailure } from "../../src/jobs/failure.ts";

test("an error is kept with its name, message, code, stack and causes", () => {
  const cause = Object.assign(new RangeError("inner"), { code: "EINNER" });
  const failure = parseFailure(failureText(new TypeError("outer", { cause })));
  assert.deepEqual([failure.name, failure.message], ["TypeError", "outer"]);
  assert.match(failure.stack ?? "", /failure\.test\.ts/);
  assert.deepEqual([failure.cause?.name, failure.cause?.code], ["RangeError", "EINNER"]);
  const revived = reviveFailure(failure);
  assert.ok(revived instanceof Error);
  assert.equal(revived.name, "TypeError");
  assert.equal((revived.cause as Error & { code: string }).code, "EINNER");
});

test("the errors of an AggregateError are kept, the first few", () => {
  const many = new AggregateError(
    Array.from({ length: 20 }, (_, index) => new Error(`e${index}`)),
    "all failed",
  );
  assert.deepEqual(
    failureOf(many).errors?.map((error) => error.message),
    ["e0", "e1", "e2", "e3", "e4"],
  );
});

test("whatever is thrown becomes a name and a message, within bounds", () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
      (thrown) => {
        const failure = parseFailure(failureText(thrown));
        assert.equal(typeof failure.name, "string");
        assert.equal(typeof failure.message, "string");
      },
    ),
  );
  const circular = new Error("round");
  circular.cause = circular;
  assert.ok(failureText(circular).length < 100_000);
  assert.ok(failureText(new Error("x".repeat(1_000_000))).length < 20_000);
  const trap = new Proxy(new Error("trap"), {
    get: () => {
      throw new Error("trapped");
    },
  });
  assert.match(failureOf(trap).message, /cannot be read/);
});

test("stored text of another make is shown as it is", () => {
  assert.deepEqual(parseFailure("plain words"), { name: "Error", message: "plain words" });
  assert.deepEqual(parseFailure('"quoted"'), { name: "Error", message: "quoted" });
  assert.deepEqual(parseFailure("[1]"), { name: "Error", message: "[1]" });
});
