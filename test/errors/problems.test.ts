import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { didYouMean, NightshiftError, Problems, problemsOf, suggest } from "../../src/errors/index.ts";

test("one error lists every problem and carries each of them", () => {
  const problems = new Problems();
  problems.add("NS_JOB_DUPLICATE", 'two jobs are named "mail".');
  problems.unknownOptions("addJobs()", { concurency: 5 }, ["concurrency", "queues"]);
  problems.attempt(() => {
    throw new NightshiftError("NS_DURATION_INVALID", "timeout is bad.");
  });
  assert.throws(
    () => problems.throwIfAny("The application"),
    (error: unknown) => {
      assert.ok(error instanceof NightshiftError);
      assert.equal(error.code, "NS_BUILD_INVALID");
      assert.match(
        error.message,
        /3 problems:\n {2}1\. NS_JOB_DUPLICATE.*\n {2}2\. NS_OPTION_UNKNOWN.*"concurrency".*\n {2}3\. /,
      );
      assert.deepEqual(
        problemsOf(error).map((problem) => problem.code),
        ["NS_JOB_DUPLICATE", "NS_OPTION_UNKNOWN", "NS_DURATION_INVALID"],
      );
      assert.equal(inspect(error).match(/NS_OPTION_UNKNOWN/g)?.length, 1, "printed, it says each problem once");
      return true;
    },
  );
});

test("a single problem is thrown as it is; none throws nothing; a foreign error is not swallowed", () => {
  const none = new Problems();
  none.throwIfAny("The application");
  const one = new Problems();
  one.add("NS_CRON_SYNTAX", "bad.");
  assert.throws(() => one.throwIfAny("The application"), { code: "NS_CRON_SYNTAX" });
  assert.throws(
    () =>
      none.attempt(() => {
        throw new TypeError("a bug");
      }),
    TypeError,
  );
});

test("the nearest known name is suggested, and nothing when none is near", () => {
  assert.equal(suggest("concurency", ["concurrency", "queues"]), "concurrency");
  assert.equal(suggest("MOM", ["MON", "TUE"]), "MON");
  assert.equal(suggest("qeueus", ["queues"]), "queues");
  assert.equal(suggest("banana", ["concurrency", "queues"]), undefined);
  assert.equal(didYouMean("banana", ["concurrency"]), "");
});

test("an option that is near none is told with all that there are", () => {
  const problems = new Problems();
  problems.unknownOptions("enqueue", { runAt: 1, att: 1 }, ["delay", "at", "queue"]);
  problems.unknownOptions("one", { runAt: 1 }, ["delay"]);
  problems.unknownOptions("none", { runAt: 1 }, []);
  assert.deepEqual(
    problems.found.map(({ message }) => message.slice("NS_OPTION_UNKNOWN: ".length)),
    [
      'enqueue has no option "runAt". There are "delay", "at" and "queue".',
      'enqueue has no option "att". Did you mean "at"?',
      'one has no option "runAt". There is "delay".',
      'none has no option "runAt".',
    ],
  );
});

test("an error without a cause prints none, and one with a cause prints it", () => {
  const printed = (cause: unknown) => inspect(new NightshiftError("NS_STORE_FULL", "no room.", { cause }));
  assert.doesNotMatch(printed(undefined), /cause/);
  assert.doesNotMatch(inspect(new NightshiftError("NS_STORE_FULL", "no room.")), /cause/);
  assert.match(printed(new Error("ENOSPC")), /\[cause\]: Error: ENOSPC/);
});
