import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHost } from "../../src/create-host.ts";
import { NightshiftError } from "../../src/errors/index.ts";
import { cron as declaredCron, interval as declaredInterval } from "../../src/index.ts";
import { defineJob, unchecked } from "../../src/jobs/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger, silentLogger } from "../../src/telemetry/index.ts";
import { cron, interval } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";

const greet = defineJob({ name: "greet", input: unchecked<{ name: string }>(), run: () => undefined });

describe("builder.addSchedule", () => {
  it("runs the job at each occurrence, with its input and its origin, until the host stops", async () => {
    const ran: { input: unknown; schedule: unknown; occurrence: unknown }[] = [];
    const tick = defineJob({
      name: "tick",
      input: unchecked<{ n: number }>(),
      run: (input, { meta }) => void ran.push({ input, schedule: meta["schedule"], occurrence: meta["occurrence"] }),
    });
    const builder = createHost({ name: "shop", logger: silentLogger });
    builder.addSchedule({ id: "t", trigger: interval("100ms"), job: tick, input: { n: 1 }, misfire: "run-all" });
    builder.addJobs({ store: memory(), jobs: [tick] });
    await using host = builder.build();
    await host.start();
    await eventually(() => assert.ok(ran.length >= 5));
    await host.schedules.pause("t");
    const { items } = await host.schedules.occurrences("t", { limit: 100 });
    await eventually(() => assert.equal(ran.length, items.length));
    assert.deepEqual(ran[0]?.input, { n: 1 });
    assert.equal(new Set(ran.map(({ occurrence }) => occurrence)).size, ran.length);
    await host.stop();
  });

  it("has its mistakes told by build(), all of them, with those of the other rooms", () => {
    const stranger = defineJob({ name: "stranger", run: () => undefined });
    const builder = createHost({ name: "shop", logger: silentLogger });
    builder.addJobs({ store: memory(), jobs: [greet], concurrencyy: 3 } as never);
    const base = { id: "a", trigger: cron("0 3 * * *"), job: greet, input: { name: "Ada" } };
    builder.addSchedule(base);
    builder.addSchedule(base);
    builder.addSchedule({ ...base, id: "b", overlap: "queu" } as never);
    builder.addSchedule({ ...base, id: "c", jiter: "5s", startingDeadline: "later" } as never);
    builder.addSchedule({ ...base, id: "d", trigger: "0 3 * * *" } as never);
    builder.addSchedule({ id: "e", trigger: cron("0 3 * * *"), job: stranger });
    builder.addSchedule({ id: "", job: "greet" } as never);
    builder.addSchedule({ ...base, id: "f", trigger: declaredCron("61 * * * *" as string) });
    builder.addSchedule({ ...base, id: "g", trigger: declaredInterval("soon" as never) });
    assert.throws(
      () => builder.build(),
      (error: NightshiftError) => {
        for (const expected of [
          /no option "concurrencyy"/,
          /Two schedules have the id "a"/,
          /Schedule "b": overlap is "queu".*Did you mean "queue"/,
          /Schedule "c" has no option "jiter".*Did you mean "jitter"/,
          /NS_DURATION_INVALID: .*startingDeadline.*"later"/,
          /Schedule "d": trigger is "0 3 \* \* \*"\. Give cron\("0 3 \* \* \*"\)/,
          /NS_JOB_UNKNOWN: Schedule "e": .*stranger/,
          /A schedule's id is ""/,
          /has no trigger/,
          /NS_CRON_SYNTAX: Schedule "f": trigger: .*61/,
          /NS_DURATION_INVALID: Schedule "g": trigger: .*"soon"/,
        ]) {
          assert.match(error.message, expected);
        }
        return error.code === "NS_BUILD_INVALID";
      },
    );
  });

  it("without addJobs is a mistake too", () => {
    const builder = createHost({ logger: silentLogger });
    builder.addSchedule({ id: "a", trigger: cron("0 3 * * *"), job: greet, input: { name: "Ada" } });
    assert.throws(
      () => builder.build(),
      /NS_OPTION_INVALID: This application has a schedule, and no jobs\. Call addJobs/,
    );
  });

  it("checks the input against the job's schema: at build, or at the start when the schema is asynchronous", async () => {
    const schema = (slow: boolean) => ({
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => {
          const ok = typeof value === "object" && value !== null && "name" in value;
          const result = ok ? { value: value as { name: string } } : { issues: [{ message: "name is missing" }] };
          return slow ? Promise.resolve(result) : result;
        },
      },
    });
    const wrong = (slow: boolean) => {
      const job = defineJob({ name: "checked", input: schema(slow), run: () => undefined });
      const builder = createHost({ logger: capturingLogger(), lifetimeMessages: false });
      builder.addJobs({ store: memory(), jobs: [job] });
      return builder.addSchedule({ id: "s", trigger: cron("0 3 * * *"), job, input: {} as never });
    };
    assert.throws(() => wrong(false).build(), /NS_JOB_INPUT: Schedule "s": .*name is missing/);
    await using host = wrong(true).build();
    await assert.rejects(host.start(), (error: Error) =>
      /name is missing/.test(`${error.message} ${String(error.cause)}`),
    );
  });

  it("host.schedules says what to do when there are no jobs", () => {
    const host = createHost({ logger: silentLogger }).build();
    assert.throws(() => host.schedules, /NS_HOST_STATE.*addJobs/);
    assert.ok(new NightshiftError("NS_HOST_STATE", "x"));
  });
});
