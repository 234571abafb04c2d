/** A process that runs jobs from an SQLite file until it is told to stop: `node worker.ts <file>`. */
import { createHost } from "../../../src/index.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { definitions } from "./definitions.ts";

const builder = createHost({ name: "worker" });
builder.addJobs({
  store: sqlite(process.argv[2] ?? ""),
  jobs: definitions,
  concurrency: 4,
  leaseTtl: "2s",
  drainTimeout: "300ms",
});
await using host = builder.build();
host.lifetime.onStarted(() => console.log("ready"));
await host.run();
console.log("stopped");
