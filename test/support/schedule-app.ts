/** An application with a dashboard on a free port whose schedules can be written there, for tests and pictures. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Application, createHost, cron, defineJob, type JobDefinition } from "../../src/index.ts";
import { memory } from "../../src/store/memory/index.ts";
import { type CapturingLogger, capturingLogger } from "../../src/telemetry/index.ts";

/** `{ to: text }`, and what is wrong with anything else. */
const mailSchema: StandardSchemaV1<{ readonly to: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof (value as { readonly to?: unknown } | null)?.to === "string"
        ? { value: value as { to: string } }
        : { issues: [{ path: ["to"], message: "Expected text" }] },
  },
};

/** What {@link scheduleApp} gives. */
export interface ScheduleApp extends AsyncDisposable {
  readonly host: Application;
  readonly logger: CapturingLogger;
  readonly cleanUp: JobDefinition;
  /** Ends with a slash. */
  readonly url: string;
}

/** Starts it: jobs `clean-up` (no input) and `email.digest` (`{ to }`), and a schedule `nightly` that code declares. */
export async function scheduleApp(): Promise<ScheduleApp> {
  const cleanUp = defineJob({ name: "clean-up", run: () => "swept" });
  const digest = defineJob({ name: "email.digest", input: mailSchema, run: ({ to }) => `sent to ${to}` });
  const logger = capturingLogger();
  const builder = createHost({ name: "shop", logger, signals: false });
  builder.addDashboard({ port: 0, path: "/jobs" });
  builder.addJobs({ store: memory(), jobs: [digest, cleanUp] });
  builder.addSchedule({ id: "nightly", trigger: cron("0 3 * * *", { timeZone: "Europe/Oslo" }), job: cleanUp });
  const host = builder.build();
  await host.start();
  const line = logger.entries.find((entry) => entry.message.startsWith("The dashboard is at"));
  return {
    host,
    logger,
    cleanUp,
    url: String(line?.facts["url"]),
    async [Symbol.asyncDispose]() {
      await host.stop();
      await host[Symbol.asyncDispose]();
    },
  };
}
