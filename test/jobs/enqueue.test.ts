import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { type NightshiftError, problemsOf } from "../../src/errors/index.ts";
import { createJobs, defineJob, unchecked } from "../../src/jobs/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

const mail = defineJob({
  name: "mail",
  input: z.object({ to: z.email(), lines: z.array(z.string()) }),
  run: () => undefined,
});
const any = defineJob({ name: "any", input: unchecked<unknown>(), run: () => undefined });
const none = defineJob({ name: "none", run: () => undefined });
const slowSchema = defineJob({
  name: "slow-schema",
  input: z.string().refine(async (text) => text !== "taken", "is taken"),
  run: () => undefined,
});

function client(options: { maxPayload?: number } = {}) {
  const clock = new VirtualClock();
  return createJobs({ store: memory(), jobs: [mail, any, none, slowSchema], clock, ...options });
}
const total = async (jobs: ReturnType<typeof client>) =>
  (await jobs.counts()).queues.reduce((sum, queue) => sum + queue.ready + queue.scheduled, 0);

test("an input that does not match its schema is refused with every issue, and nothing is written", async () => {
  await using jobs = client();
  await assert.rejects(
    jobs.enqueue(mail, { to: "nobody", lines: [1 as unknown as string] }),
    (error: NightshiftError) => {
      assert.equal(error.code, "NS_JOB_INPUT");
      const issues = error.details["issues"] as { path: string; message: string }[];
      assert.deepEqual(
        issues.map((issue) => issue.path),
        ["to", "lines[0]"],
      );
      assert.match(error.message, /job "mail" is not valid: to: .+; lines\[0\]: /);
      return true;
    },
  );
  assert.equal(await total(jobs), 0);
});

test("many inputs are written together or not at all, and the wrong one is named", async () => {
  await using jobs = client();
  const inputs = new Array(100).fill({ to: "a@b.cd", lines: [] });
  const handles = await jobs.enqueueMany(mail, inputs);
  assert.equal(new Set(handles.map((handle) => handle.id)).size, 100);
  const broken = inputs.with(50, { to: "nobody", lines: [] });
  await assert.rejects(jobs.enqueueMany(mail, broken), (error: NightshiftError) => {
    assert.equal(error.code, "NS_JOB_INPUT");
    assert.equal(error.details["index"], 50);
    assert.match(error.message, /^NS_JOB_INPUT: Input 50 of enqueueMany/);
    return true;
  });
  assert.equal(await total(jobs), 100);
  assert.deepEqual(await jobs.enqueueMany(mail, []), []);
});

test("a schema that checks asynchronously is awaited", async () => {
  await using jobs = client();
  await jobs.enqueue(slowSchema, "free");
  await assert.rejects(jobs.enqueue(slowSchema, "taken"), { code: "NS_JOB_INPUT", message: /is taken/ });
  await assert.rejects(jobs.enqueueMany(slowSchema, ["free", "taken"]), { code: "NS_JOB_INPUT", message: /Input 1/ });
  assert.equal(await total(jobs), 1);
});

test("a schema that throws refuses the input, with the error as its cause", async () => {
  const broken = defineJob({
    name: "broken",
    input: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => {
          throw new Error("oops");
        },
      },
    },
    run: () => undefined,
  });
  await using jobs = createJobs({ store: memory(), jobs: [broken] });
  await assert.rejects(jobs.enqueue(broken, {}), (error: NightshiftError) => {
    assert.equal((error.cause as Error).message, "oops");
    return error.code === "NS_JOB_INPUT";
  });
});

const circle: Record<string, unknown> = {};
circle["self"] = { circle };
const deep: unknown[] = [];
let inner = deep;
for (let depth = 0; depth < 300; depth++) inner.push((inner = []));
const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ["a BigInt", { a: [1n] }, /a\[0\]: a BigInt/],
  ["NaN", { a: Number.NaN }, /a: NaN would become null/],
  ["a function", { a: () => 1 }, /a: a function/],
  ["a symbol", { a: Symbol("x") }, /a: a symbol/],
  ["a Map", { a: new Map() }, /a: .*would lose its content/],
  ["a Set", new Set([1]), /would lose its content/],
  ["bytes", { a: new Uint8Array(2) }, /a: .*would lose its content/],
  ["an Error", { a: new Error("x") }, /a: .*would lose its content/],
  ["an invalid Date", { a: new Date(Number.NaN) }, /a: an invalid Date/],
  ["undefined in a list", [1, undefined], /\[1\]: undefined in an array/],
  ["a circle", circle, /self\.circle: refers back/],
  ["too deep a nesting", deep, /nested more than 200 levels/],
];
for (const [what, input, message] of refused) {
  test(`${what} in an input is refused, as JSON would not carry it`, async () => {
    await using jobs = client();
    await assert.rejects(jobs.enqueue(any, input), { code: "NS_JOB_INPUT", message });
  });
}

test("what JSON carries arrives as JSON says: dates as text, undefined properties left out, odd keys as data", async () => {
  await using jobs = client();
  const shared = { a: 1 };
  const input = { at: new Date(0), gone: undefined, text: "\u0000 \u2028 😀 \ud800", twice: [shared, shared] };
  const odd = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as object;
  const handle = await jobs.enqueue(any, { ...input, odd });
  const stored = (await handle.details())?.input as Record<string, unknown>;
  assert.deepEqual(stored, { ...JSON.parse(JSON.stringify(input)), odd });
  assert.equal(stored["at"], "1970-01-01T00:00:00.000Z");
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("a schema sees the input as it will arrive, so a Date that would not come back as one is refused with the reason", async () => {
  const dated = defineJob({ name: "dated", input: z.object({ at: z.date() }), run: () => undefined });
  await using jobs = createJobs({ store: memory(), jobs: [dated] });
  await assert.rejects(jobs.enqueue(dated, { at: new Date() }), {
    code: "NS_JOB_INPUT",
    message: /A Date travels as ISO text/,
  });
});

test("an input that was forgotten is told as that, and not only as the null that would arrive", async () => {
  const job = defineJob({ name: "greet", input: z.object({ name: z.string() }), run: () => undefined });
  await using jobs = createJobs({ store: memory(), jobs: [job] });
  await assert.rejects(jobs.enqueue(job as typeof any, undefined), {
    code: "NS_JOB_INPUT",
    message: /No input was given; it travels as null\.$/,
  });
});

test("an input beyond the limit is refused, counted in bytes", async () => {
  await using jobs = client({ maxPayload: 100 });
  await jobs.enqueue(any, "x".repeat(98));
  await assert.rejects(jobs.enqueue(any, "x".repeat(99)), {
    code: "NS_JOB_TOO_LARGE",
    message: /101 bytes of JSON, 100 are/,
  });
  await assert.rejects(jobs.enqueue(any, "é".repeat(50)), { code: "NS_JOB_TOO_LARGE", message: /102 bytes/ });
  await assert.rejects(jobs.enqueue(any, 1, { meta: { x: "x".repeat(99) } }), { code: "NS_JOB_TOO_LARGE" });
});

const badOptions: readonly (readonly [string, object, string, RegExp])[] = [
  ["an unknown option", { dleay: 5 }, "NS_OPTION_UNKNOWN", /Did you mean "delay"/],
  ["an option of another library", { runAt: 5 }, "NS_OPTION_UNKNOWN", /There are "delay", "at", .* and "signal"/],
  ["a delay in place of options", "5m" as never, "NS_OPTION_INVALID", /options are "5m"\. Give an object/],
  ["a number in place of options", 5 as never, "NS_OPTION_INVALID", /options are 5\. Give an object/],
  ["null in place of options", null as never, "NS_OPTION_INVALID", /options are null\. Give an object/],
  ["delay and at together", { delay: 1, at: 1 }, "NS_OPTION_INVALID", /both given/],
  ["a bad duration", { delay: "soon" }, "NS_DURATION_INVALID", /delay is "soon"/],
  ["a negative delay", { delay: -1 }, "NS_DURATION_INVALID", /-1/],
  ["an invalid date", { at: new Date(Number.NaN) }, "NS_OPTION_INVALID", /at is Invalid Date/],
  ["a date as text", { at: "2026-01-01" }, "NS_OPTION_INVALID", /Give a valid Date/],
  ["a priority out of range", { priority: 101 }, "NS_OPTION_INVALID", /from -100 to 100/],
  ["half a priority", { priority: 0.5 }, "NS_OPTION_INVALID", /whole number/],
  ["an empty queue name", { queue: "" }, "NS_OPTION_INVALID", /queue is ""/],
  ["a queue name with a space", { queue: "a b" }, "NS_OPTION_INVALID", /letters, digits/],
  ["no attempts", { attempts: 0 }, "NS_OPTION_INVALID", /attempts is 0/],
  ["meta that is no object", { meta: [1] }, "NS_OPTION_INVALID", /meta is/],
  ["meta with a function", { meta: { f: () => 1 } }, "NS_OPTION_INVALID", /meta\.f a function/],
];
for (const [what, options, code, message] of badOptions) {
  test(`${what} is refused at enqueue`, async () => {
    await using jobs = client();
    await assert.rejects(jobs.enqueue(any, 1, options), { code, message });
    assert.equal(await total(jobs), 0);
  });
}

test("a job that takes no input refuses one", async () => {
  await using jobs = client();
  await assert.rejects(jobs.enqueue(none as typeof any, { a: 1 }), {
    code: "NS_JOB_INPUT",
    message: /takes no input, got \{ a: 1 \}\. Give it a schema: defineJob\(\{ input, \.\.\. \}\)\.$/,
  });
});

test("a definition that is not registered here is refused, even under a known name", async () => {
  await using jobs = client();
  const other = defineJob({ name: "other", run: () => undefined });
  await assert.rejects(jobs.enqueue(other), { code: "NS_JOB_UNKNOWN", message: /add it to jobs/ });
  const twin = defineJob({ name: "none", run: () => undefined });
  await assert.rejects(jobs.enqueue(twin), { code: "NS_JOB_UNKNOWN", message: /not the one registered/ });
  const proto = defineJob({ name: "constructor", run: () => undefined });
  await assert.rejects(jobs.enqueue(proto), { code: "NS_JOB_UNKNOWN" });
});

test("an aborted signal gives up before anything is written", async () => {
  await using jobs = client();
  const signal = AbortSignal.abort(new Error("gone"));
  await assert.rejects(jobs.enqueue(any, 1, { signal }), { code: "NS_ABORTED", message: /gone/ });
  assert.equal(await total(jobs), 0);
});

test("with a synchronous schema the row is written before enqueue returns", async () => {
  await using jobs = client();
  await jobs.open();
  const promise = jobs.enqueue(mail, { to: "a@b.cd", lines: [] });
  const counted = jobs.counts();
  assert.equal((await counted).queues[0]?.ready, 1);
  await promise;
});

test("a transaction before the store is open is refused, as the job would miss it", async () => {
  await using jobs = client();
  await assert.rejects(jobs.enqueue(any, 1, { tx: {} }), { code: "NS_STORE_CLOSED", message: /Await jobs\.open\(\)/ });
});

test("delay and at decide when a job may run; a time that has passed is now", async () => {
  const clock = new VirtualClock();
  await using jobs = createJobs({ store: memory(), jobs: [none], clock });
  const later = await jobs.enqueue(none, undefined, { delay: "5m" });
  const at = await jobs.enqueue(none, undefined, { at: new Date(clock.now() + 60_000) });
  const past = await jobs.enqueue(none, undefined, { at: clock.now() - 60_000 });
  const now = await jobs.enqueue(none, undefined, { delay: 0 });
  const states = await Promise.all([later, at, past, now].map((handle) => handle.state()));
  assert.deepEqual(states, ["scheduled", "scheduled", "ready", "ready"]);
  assert.equal((await later.details())?.at, clock.now() + 300_000);
  assert.match(await jobs.explain(later.id), /due in 5m/);
  assert.equal(await jobs.runNow(later.id), true);
  assert.equal(await later.state(), "ready");
});

test("policies of the definition are stored with the job, and options override them", async () => {
  const job = defineJob({
    name: "p",
    queue: "q",
    priority: 3,
    retry: { attempts: 7 },
    maxCrashes: 2,
    run: () => undefined,
  });
  await using jobs = createJobs({ store: memory(), jobs: [job] });
  const plain = await (await jobs.enqueue(job)).details();
  assert.deepEqual([plain?.queue, plain?.priority, plain?.maxAttempts, plain?.maxCrashes], ["q", 3, 7, 2]);
  const own = await (await jobs.enqueue(job, undefined, { queue: "r", priority: -3, attempts: 1 })).details();
  assert.deepEqual([own?.queue, own?.priority, own?.maxAttempts], ["r", -3, 1]);
});

test("a disposed client refuses, and a job that does not exist is not found", async () => {
  const jobs = client();
  await assert.rejects(jobs.handle("999").result(), { code: "NS_JOB_NOT_FOUND" });
  assert.equal(await jobs.get("999"), null);
  assert.equal(await jobs.state("999"), null);
  assert.match(await jobs.explain("999"), /No such job exists/);
  await jobs[Symbol.asyncDispose]();
  await assert.rejects(jobs.enqueue(any, 1), { code: "NS_STORE_CLOSED" });
});

test("awaiting a result ends with its timeout or its signal, and the job goes on", async () => {
  const clock = new VirtualClock();
  await using jobs = createJobs({ store: memory(), jobs: [none], clock });
  const handle = await jobs.enqueue(none);
  const late = assert.rejects(handle.result({ timeout: "10s" }), {
    code: "NS_TIMEOUT",
    message: /was not over within/,
  });
  await clock.advance("11s");
  await late;
  const controller = new AbortController();
  const given = assert.rejects(handle.result({ signal: controller.signal }), /enough/);
  controller.abort(new Error("enough"));
  await given;
  assert.equal(await handle.state(), "ready");
  await clock.advance("10s");
  assert.equal(clock.pendingTimers, 0);
});

test("cancelling a waiting job is final, and retrying makes it ready again", async () => {
  await using jobs = client();
  const handle = await jobs.enqueue(none);
  assert.equal(await handle.cancel("not needed"), "cancelled");
  assert.equal(await handle.cancel(), "final");
  assert.equal(await jobs.cancel("999"), "missing");
  assert.match(await jobs.explain(handle.id), /cancelled \(not needed\)/);
  await assert.rejects(handle.result(), { code: "NS_JOB_CANCELLED", message: /not needed/ });
  assert.equal(await jobs.retry(handle.id), true);
  assert.equal(await handle.state(), "ready");
  assert.deepEqual(await jobs.cancel([handle.id, "999"], "both"), ["cancelled", "missing"]);
});

test("a paused queue is the reason given for a job that waits in it", async () => {
  await using jobs = client();
  const handle = await jobs.enqueue(none);
  assert.match(await jobs.explain(handle.id), /No worker is running/);
  await jobs.pauseQueue("default", "supplier is down");
  assert.equal(await jobs.explain(handle.id), 'The queue "default" is paused: supplier is down.');
  await jobs.resumeQueue("default");
  assert.match(await jobs.explain(handle.id), /No worker is running/);
});

test("createJobs reports everything that is wrong, together", () => {
  assert.throws(
    () =>
      createJobs({ store: {}, jobs: [{}, defineJob({ name: "", run: 3 } as never)], stroe: 1, maxPayload: 0 } as never),
    (error: NightshiftError) => {
      assert.deepEqual(
        problemsOf(error).map((problem) => problem.code),
        [
          "NS_OPTION_UNKNOWN",
          "NS_OPTION_INVALID",
          "NS_OPTION_INVALID",
          "NS_JOB_DEFINITION",
          "NS_JOB_DEFINITION",
          "NS_JOB_DEFINITION",
        ],
      );
      return true;
    },
  );
  assert.throws(() => createJobs(undefined as never), { code: "NS_OPTION_INVALID" });
});
