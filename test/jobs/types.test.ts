/** What the compiler must know of jobs, and what it must refuse: checked by `npm run check`, not by running. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  createJobs,
  defineJob,
  type InputOf,
  type JobContext,
  type JobHandle,
  type Jobs,
  type OutputOf,
  optional,
  token,
  unchecked,
} from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_T extends true>() => undefined;
/** Compiled, never run. */
const compiled = (_: (jobs: Jobs) => unknown) => undefined;

const zodJob = defineJob({
  name: "zod",
  input: z.object({ at: z.string().transform((text) => new Date(text)), times: z.number().default(1) }),
  output: z.object({ done: z.boolean() }),
  run(input, job) {
    is<Equal<typeof input, { at: Date; times: number }>>();
    is<Equal<typeof job, JobContext>>();
    return { done: true };
  },
});
const valibotJob = defineJob({
  name: "valibot",
  input: v.object({ to: v.pipe(v.string(), v.email()) }),
  run(input) {
    is<Equal<typeof input, { to: string }>>();
  },
});
const arktypeJob = defineJob({
  name: "arktype",
  input: type({ to: "string.email" }),
  run(input) {
    is<Equal<typeof input, { to: string }>>();
  },
});
const uncheckedJob = defineJob({
  name: "unchecked",
  input: unchecked<{ id: number }>(),
  output: unchecked<number>(),
  run: async ({ id }) => id * 2,
});
const nothingJob = defineJob({
  name: "nothing",
  run(input) {
    is<Equal<typeof input, undefined>>();
  },
});

class Mailer {
  readonly from = "shop@example.com";
}
interface Rates {
  of(currency: string): number;
}
const Rates = token<Rates>("Rates");
const servicesJob = defineJob({
  name: "services",
  inject: [Mailer, Rates, optional(Mailer)],
  run(_input, _job, mailer, rates, other) {
    is<Equal<typeof mailer, Mailer>>();
    is<Equal<typeof rates, Rates>>();
    is<Equal<typeof other, Mailer | undefined>>();
  },
});
const all = [zodJob, valibotJob, arktypeJob, uncheckedJob, nothingJob, servicesJob];

is<Equal<InputOf<typeof zodJob>, { at: string; times?: number | undefined }>>();
is<Equal<OutputOf<typeof zodJob>, { done: boolean }>>();
is<Equal<OutputOf<typeof valibotJob>, undefined>>();

compiled(async (jobs) => {
  const handle = await jobs.enqueue(zodJob, { at: "2026-01-01" });
  is<Equal<typeof handle, JobHandle<{ done: boolean }>>>();
  const result = await handle.result();
  is<Equal<typeof result, { done: boolean }>>();
  await jobs.enqueue(valibotJob, { to: "a@b.c" }, { delay: "5m", priority: 1 });
  await jobs.enqueue(arktypeJob, { to: "a@b.c" });
  const [first] = await jobs.enqueueMany(uncheckedJob, [{ id: 1 }, { id: 2 }]);
  is<Equal<typeof first, JobHandle<number> | undefined>>();
  await jobs.enqueue(nothingJob);
  await jobs.enqueue(nothingJob, undefined, { delay: 5 });
  await jobs.enqueue(servicesJob);
  const again = jobs.handle("1", uncheckedJob);
  is<Equal<typeof again, JobHandle<number>>>();

  // @ts-expect-error the input is missing
  await jobs.enqueue(zodJob);
  // @ts-expect-error enqueue takes what the schema takes, not what it gives
  await jobs.enqueue(zodJob, { at: new Date() });
  // @ts-expect-error a wrong property
  await jobs.enqueue(valibotJob, { too: "a@b.c" });
  // @ts-expect-error no input is taken
  await jobs.enqueue(nothingJob, { id: 1 });
  // @ts-expect-error an unknown option
  await jobs.enqueue(nothingJob, undefined, { dleay: "5m" });
  // @ts-expect-error a duration is text of a known form
  await jobs.enqueue(nothingJob, undefined, { delay: "five minutes" });
});

compiled(() => {
  // @ts-expect-error the output is not what its schema says
  defineJob({ name: "wrong", output: z.number(), run: () => "text" });
  // @ts-expect-error an unknown option
  defineJob({ name: "wrong", retires: 3, run: () => undefined });
  // @ts-expect-error more services than are injected
  defineJob({ name: "wrong", inject: [Mailer], run: (_input, _job, _mailer: Mailer, _more: Mailer) => undefined });
  // @ts-expect-error a job without a handler
  defineJob({ name: "wrong" });
});

test("definitions of every schema library fit in one list, and can be called like functions", () => {
  createJobs({ store: memory(), jobs: all });
  const context = {} as JobContext;
  assert.deepEqual(zodJob.run({ at: new Date(), times: 1 }, context), { done: true });
  assert.equal(servicesJob.run(undefined, context, new Mailer(), { of: () => 1 }, undefined), undefined);
});

test("each schema library's issues come with path and message", async () => {
  await using jobs = createJobs({ store: memory(), jobs: all });
  for (const job of [valibotJob, arktypeJob]) {
    await assert.rejects(
      jobs.enqueue(job, { to: "nobody" }),
      (error: { code: string; details: { issues: unknown[] } }) => {
        assert.equal(error.code, "NS_JOB_INPUT");
        assert.equal((error.details.issues[0] as { path: string }).path, "to");
        return true;
      },
    );
  }
});
