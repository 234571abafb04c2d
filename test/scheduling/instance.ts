/**
 * One instance of an application with schedules, for tests that need real processes:
 * `instance.ts <file or URL> <name> <every ms> <schema> [2]`, the latter for the application's second version.
 */
import { createHost } from "../../src/create-host.ts";
import { defineJob } from "../../src/jobs/index.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { interval } from "../../src/time/index.ts";

const [place = "", instanceName = "", every = "200", schema = "", version = "1"] = process.argv.slice(2);
const store = place.startsWith("postgres") ? postgres({ connectionString: place, schema }) : sqlite(place);
const tick = defineJob({ name: "tick", run: () => undefined });
const builder = createHost({ name: "fleet", logger: silentLogger });
builder.addJobs({ store, jobs: [tick], instanceName, leaseTtl: "1s" });
const base = { trigger: interval(Number(every)), job: tick, misfireThreshold: 500, description: `version ${version}` };
builder.addSchedule({ ...base, id: "all", misfire: "run-all" });
builder.addSchedule({ ...base, id: "once", misfire: "run-once" });
builder.addSchedule({ ...base, id: "skip", misfire: "skip" });
if (version === "1") builder.addSchedule({ ...base, id: "some", misfire: { policy: "catch-up", max: 3 } });
builder.addSchedule({ ...base, id: "serial", misfire: "run-all", overlap: "queue" });
if (version === "2") builder.addSchedule({ ...base, id: "new", misfire: "run-all" });
await using host = builder.build();
await host.start();
console.log("started");
await host.waitForShutdown();
