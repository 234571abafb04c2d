import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError, problemsOf } from "../../src/errors/index.ts";
import { createHost, createJobs, cron, defineJob, Jobs, silentLogger, token, unchecked } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger } from "../../src/telemetry/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { faulty } from "./support/faulty-store.ts";

const quiet = { signals: false, logger: silentLogger } as const;

test("a host runs the jobs that are enqueued through host.jobs", async () => {
  const greet = defineJob({
    name: "greet",
    input: unchecked<{ name: string }>(),
    output: unchecked<string>(),
    run: async ({ name }) => `hello ${name}`,
  });
  const builder = createHost(quiet);
  builder.addJobs({ store: memory(), jobs: [greet] });
  await using host = builder.build();
  await host.start();
  const handle = await host.jobs.enqueue(greet, { name: "Ada" });
  assert.equal(await handle.result({ timeout: "10s" }), "hello Ada");
  await host.stop();
  const names = host
    .snapshot()
    .services.slice(0, 7)
    .map((service) => service.name);
  assert.deepEqual(names, [
    "jobs.store",
    "jobs.instance",
    "jobs.promoter",
    "jobs.reaper",
    "jobs.retention",
    "jobs.queues",
    "jobs.worker",
  ]);
});

test("what the store finds wrong with itself is in the detail of readiness, which stays green", async () => {
  const message = "The write-ahead log has 900 MB. Close what holds a read transaction open.";
  const store = memory();
  store.findings = async () => [{ what: "large log", severity: "warning", message, details: {} }];
  const builder = createHost(quiet);
  builder.addJobs({ store, jobs: [] });
  await using host = builder.build();
  assert.deepEqual((await host.health.report("readyz")).warnings, [], "a store that is not open is not asked");
  await using later = createHost(quiet).addJobs({ store, jobs: [] }).build();
  await later.start();
  const request = new Request("http://localhost/readyz");
  const response = await later.health.handler(request, { detail: true });
  const { warnings } = (await response.json()) as { readonly warnings: unknown };
  assert.deepEqual([response.status, warnings], [200, [{ name: "jobs.store", message }]]);
  await later.stop();
});

test("services get the client by naming it, and hosted services may enqueue until the very end", async () => {
  const left: string[] = [];
  const note = defineJob({ name: "note", input: unchecked<string>(), run: () => undefined });
  class Front {
    static readonly inject = [Jobs] as const;
    readonly jobs: Jobs;
    constructor(jobs: Jobs) {
      this.jobs = jobs;
    }
    async start() {
      left.push((await this.jobs.enqueue(note, "first")).id);
    }
    async stop() {
      left.push((await this.jobs.enqueue(note, "last")).id);
    }
  }
  const store = memory();
  const builder = createHost(quiet);
  builder.addHostedService(Front);
  builder.addJobs({ store, jobs: [note] });
  await using host = builder.build();
  await host.start();
  await host.stop();
  await using jobs = createJobs({ store, jobs: [note] });
  const states = await Promise.all(left.map((id) => jobs.state(id)));
  assert.deepEqual(states, ["succeeded", "ready"]);
});

test("a definition made by a second copy of the library is told as that, where it is registered and where it is scheduled", async () => {
  const second = (await import(`${import.meta.resolve("../../src/jobs/definition.ts")}?second`)) as {
    defineJob: typeof defineJob;
  };
  const job = second.defineJob({ name: "theirs", run: () => undefined });
  const builder = createHost(quiet).addJobs({ store: memory(), jobs: [job] });
  builder.addSchedule({ id: "s", trigger: cron("0 3 * * *"), job });
  assert.throws(
    () => builder.build(),
    (error: NightshiftError) => {
      const said = problemsOf(error).filter(({ message }) =>
        /another copy of nightshift.*npm ls nightshift/.test(message),
      );
      return said.length === 2;
    },
  );
  const none = createHost(quiet).addJobs({ store: memory(), jobs: [{ name: "theirs" }] as never });
  assert.throws(() => none.build(), /Give a value made by defineJob\(\)\.$/);
});

test("a definition that is no object is told as what it is", () => {
  const untyped = defineJob as unknown as (...args: readonly unknown[]) => unknown;
  assert.throws(() => untyped("greet", () => undefined), {
    message: 'NS_JOB_DEFINITION: defineJob() got "greet". Give one object: { name, run, ... }.',
  });
});

test("everything that is wrong with jobs is reported together at build()", () => {
  const Missing = token<string>("Missing");
  const one = defineJob({ name: "one", run: () => undefined });
  const twin = defineJob({ name: "one", run: () => undefined });
  const bad = defineJob({ name: "b a d", timeout: "soon" as "1s", run: () => undefined });
  const typo = defineJob({ name: "typo", retyr: {}, retry: { attemps: 3 }, run: () => undefined } as never);
  const needy = defineJob({ name: "needy", inject: [Missing], run: () => undefined });
  const builder = createHost(quiet);
  builder.addJobs({ store: memory(), jobs: [one, twin, bad, typo, needy], concurency: 3, leaseTtl: "1ms" } as never);
  assert.throws(
    () => builder.build(),
    (error: NightshiftError) => {
      assert.equal(error.code, "NS_BUILD_INVALID");
      const text = problemsOf(error)
        .map((problem) => problem.message)
        .join("\n");
      assert.match(text, /NS_JOB_DUPLICATE: Two job definitions have the name "one"/);
      assert.match(text, /NS_JOB_DEFINITION: A job's name is "b a d"/);
      assert.match(text, /NS_DURATION_INVALID: Job "b a d": timeout is "soon"/);
      assert.match(text, /Job "typo" has no option "retyr". Did you mean "retry"\?/);
      assert.match(text, /Job "typo": retry has no option "attemps". Did you mean "attempts"\?/);
      assert.match(text, /addJobs has no option "concurency". Did you mean "concurrency"\?/);
      assert.match(text, /leaseTtl is "1ms"/);
      assert.match(text, /NS_SERVICE_MISSING: job needy needs Missing/);
      assert.equal(problemsOf(error).length, 8);
      return true;
    },
  );
});

test("a host without jobs says so", () => {
  const host = createHost(quiet).build();
  assert.throws(() => host.jobs, { code: "NS_HOST_STATE" });
});

test("addJobs twice is a mistake", () => {
  const builder = createHost(quiet);
  builder.addJobs({ store: memory(), jobs: [] }).addJobs({ store: memory(), jobs: [] });
  assert.throws(() => builder.build(), { code: "NS_OPTION_INVALID" });
});

test("the instance is not alive when no heartbeat has reached the store for as long as leases live", async () => {
  const { store, faults } = faulty(memory());
  const clock = new VirtualClock();
  const builder = createHost({ ...quiet, clock });
  builder.addJobs({ store, jobs: [], leaseTtl: "30s" });
  await using host = builder.build();
  await host.start();
  const alive = () => host.snapshot().services.find((service) => service.name === "jobs.instance")?.alive;
  assert.equal(alive(), true);
  faults.fail("heartbeat", "before");
  faults.fail("register", "before");
  await clock.advance("1m");
  assert.equal(alive(), false);
  faults.heal();
  await clock.advance("20s");
  assert.equal(alive(), true);
  await host.stop();
});

test("a host that is disposed without a stop ends its duties once the store is closed, with a word for each", async () => {
  const clock = new VirtualClock();
  const logger = capturingLogger();
  const host = createHost({ ...quiet, clock, logger })
    .addJobs({ store: memory(), jobs: [] })
    .build();
  await host.start();
  await host[Symbol.asyncDispose]();
  await clock.advance("1h");
  const ended = (name: string) => `The ${name} ends, since the store was closed. Stop a host before it is disposed.`;
  const duties = ["heartbeat", "promoter", "queue watch", "reaper", "retention"];
  assert.deepEqual(logger.messages("warn").sort(), duties.map(ended));
  assert.deepEqual(
    logger.messages("error").filter((message) => /again in/.test(message)),
    [],
  );
});

test("a handler that computes without a pause for longer than its lease lives is named with the loss", async () => {
  const logger = capturingLogger();
  const compute = defineJob({
    name: "compute",
    retry: { attempts: 1 },
    run() {
      for (const end = performance.now() + 1_500; performance.now() < end; );
    },
  });
  await using host = createHost({ ...quiet, logger })
    .addJobs({ store: memory(), jobs: [compute], leaseTtl: "1s" })
    .build();
  await host.start();
  const { id } = await host.jobs.enqueue(compute);
  const named = new RegExp(`event loop was blocked for \\d+ms or longer\\. At work: compute \\(job ${id}`);
  await eventually(() => assert.match(logger.messages("error").join("\n"), named));
  await eventually(() => assert.match(logger.messages("error").join("\n"), /lost its worker .* and is dead/));
  assert.match(logger.messages("warn").join("\n"), /^An outcome came too late to be recorded: the lease is lost\.$/m);
  await host.stop();
});

test("a host that is stopped while its store is being opened tells the store, and does not wait for it", async () => {
  const store = memory();
  const opening = Promise.withResolvers<AbortSignal | undefined>();
  store.open = ({ signal }) => {
    opening.resolve(signal);
    const away = new NightshiftError("NS_STORE_UNAVAILABLE", "Nobody is there.");
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(away), { once: true }));
  };
  const logger = capturingLogger();
  await using host = createHost({ ...quiet, logger, clock: new VirtualClock() })
    .addJobs({ store, jobs: [] })
    .build();
  const started = host.start().catch((error: unknown) => error);
  assert.equal((await opening.promise)?.aborted, false);
  await host.stop(); // in no time
  await started;
  assert.equal((await opening.promise)?.aborted, true);
  assert.deepEqual(logger.messages("error"), [], "that it was given up is no failure");
  assert.match(logger.messages("info").join("\n"), /the start was given up: the application was asked to stop/);
});
