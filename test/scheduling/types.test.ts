/** What must compile and what must not: checked by `tsc`; the test only makes sure that the file is looked at. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { ApplicationBuilder } from "../../src/create-host.ts";
import { cron, defineJob, type Schedules, unchecked } from "../../src/index.ts";

const plain = defineJob({ name: "plain", run: () => undefined });
const greet = defineJob({ name: "greet", input: unchecked<{ name: string }>(), run: () => undefined });
const trigger = cron("0 3 * * *");

export function declare(builder: ApplicationBuilder): void {
  builder.addSchedule({ id: "a", trigger, job: plain });
  builder.addSchedule({ id: "b", trigger, job: greet, input: { name: "Ada" }, misfire: "skip", overlap: "queue" });
  builder.addSchedule({ id: "c", trigger, job: plain, misfire: { policy: "catch-up", max: 3, maxAge: "1h" } });
  // @ts-expect-error the job has an input
  builder.addSchedule({ id: "d", trigger, job: greet });
  // @ts-expect-error the input has another shape
  builder.addSchedule({ id: "e", trigger, job: greet, input: { nome: "Ada" } });
  // @ts-expect-error the job has no input
  builder.addSchedule({ id: "f", trigger, job: plain, input: { name: "Ada" } });
  // @ts-expect-error a policy that does not exist
  builder.addSchedule({ id: "g", trigger, job: plain, misfire: "run-twice" });
  // @ts-expect-error an option that does not exist
  builder.addSchedule({ id: "h", trigger, job: plain, jiter: "5s" });
  // @ts-expect-error a trigger is a value, not text
  builder.addSchedule({ id: "i", trigger: "0 3 * * *", job: plain });
}

export async function use(schedules: Schedules): Promise<void> {
  await schedules.create({ id: "a", trigger, job: greet, input: { name: "Ada" } });
  await schedules.trigger<typeof greet>("a", { input: { name: "Grace" } });
  await schedules.update("a", { description: null, jitter: "5s" });
  // @ts-expect-error a schedule cannot be without a trigger
  await schedules.update("a", { trigger: null });
  // @ts-expect-error the input has another shape
  await schedules.create({ id: "b", trigger, job: greet, input: { name: 3 } });
  // @ts-expect-error the input has another shape
  await schedules.trigger<typeof greet>("a", { input: {} });
}

it("declarations are checked by the compiler", () => {
  assert.equal(typeof declare, "function");
  assert.equal(typeof use, "function");
});
