/** Values that break whoever looks at them: a handler or a schema may throw them, and only its own job may suffer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { NightshiftError } from "../../src/errors/index.ts";
import { createJobs, defineJob, unchecked } from "../../src/jobs/index.ts";
import type { Outcome, Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { startEngine } from "./support/engine.ts";

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function unshowable(): unknown {
  const refuse = () => {
    throw new Error("not to be looked at");
  };
  return { toString: refuse, [inspect.custom]: refuse };
}

/** A store that refuses settlements with such outcomes. */
function picky(store: Store, refuses: (outcome: Outcome) => boolean): Store {
  return new Proxy(store, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== "function") return method;
      if (key !== "settle" && key !== "settleAndClaim") return method.bind(target);
      return async (...args: Parameters<Store["settleAndClaim"]>) => {
        if (args[1].some(({ outcomes }) => outcomes.some(refuses)))
          throw new NightshiftError("NS_OPTION_INVALID", "result is not to be kept.");
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}

const VALUES: readonly (readonly [what: string, make: () => unknown])[] = [
  ["a revoked proxy", revoked],
  ["an object without a prototype", () => Object.create(null)],
  ["an object that refuses to be shown", unshowable],
];

for (const [what, make] of VALUES) {
  test(`${what}, thrown by handlers and schemas, ends their jobs and no others`, async () => {
    let checks = 0;
    const validate = (value: unknown) => {
      // It takes the input when it is enqueued, and no more when it is to be run.
      if (checks++ % 2 === 1) throw make();
      return { value };
    };
    const retry = { attempts: 1 };
    const input = { "~standard": { version: 1, vendor: "test", validate } } as const;
    const schema = defineJob({ name: "schema", retry, input, run: () => undefined });
    const soon = defineJob({ name: "soon", retry, run: () => Promise.reject(make()) });
    const now = defineJob({
      name: "now",
      retry,
      run() {
        throw make();
      },
    });
    const good = defineJob({ name: "good", run: () => undefined });
    await using test = await startEngine({ jobs: [schema, soon, now, good] });
    const bad = [await test.jobs.enqueue(schema, 1), await test.jobs.enqueue(soon), await test.jobs.enqueue(now)];
    await test.clock.advance("1s");
    const after = await test.jobs.enqueue(good);
    await test.clock.advance("1s");
    for (const handle of bad) assert.equal(await handle.state(), "dead", handle.name);
    assert.equal(await after.state(), "succeeded");
    assert.equal(test.engine.worker?.running, 0);
  });
}

test("when a listener of the store and the logger both throw, what was written is written once", async () => {
  await using folder = new TestFolder();
  const job = defineJob({ name: "once", run: () => undefined });
  const fail = () => {
    throw new Error("broken");
  };
  const store = sqlite(folder.file());
  await using jobs = createJobs({ store, jobs: [job], logger: { ...silentLogger, error: fail } });
  using _subscription = store.subscribe(fail);
  await Promise.all([jobs.enqueue(job), jobs.enqueue(job)]);
  assert.equal((await jobs.counts()).queues[0]?.ready, 2);
});

test("text that no store can keep is refused as an output, also when it is written past JSON's escapes", async () => {
  const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('"\ud800"');
  const job = defineJob({ name: "raw", output: unchecked<unknown>(), run: () => ({ raw }) });
  await using test = await startEngine({ jobs: [job] });
  const handle = await test.jobs.enqueue(job);
  await test.clock.advance("1s");
  await assert.rejects(handle.result(), /half a surrogate pair/);
});

test("an outcome that the store refuses to keep makes its own job dead, and holds up no others", async () => {
  const isBad = (outcome: Outcome) => outcome.type === "succeeded" && outcome.result === '"bad"';
  const store = picky(memory(), isBad);
  const job = defineJob({ name: "echo", input: unchecked<string>(), output: unchecked<string>(), run: (text) => text });
  await using test = await startEngine({ jobs: [job], store });
  const handles = await test.jobs.enqueueMany(job, ["good", "bad", "good"]);
  await test.clock.advance("1s");
  const states = await Promise.all(handles.map((handle) => handle.state()));
  assert.deepEqual(states, ["succeeded", "dead", "succeeded"]);
  assert.match((await handles[1]?.details())?.error?.message ?? "", /not to be kept/);
});
