/** A process that runs so many empty jobs: `node drain.ts <jobs> <SQLite file or URL> [schema]`. */
import { createHost, defineJob, silentLogger, unchecked } from "../../../src/index.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";

const [count = "", place = "", schema = ""] = process.argv.slice(2);
const jobs = Number(count);
const store = place.startsWith("postgres:") ? postgres({ connectionString: place, schema }) : sqlite(place);
const finished = Promise.withResolvers<void>();
let ran = 0;
const empty = defineJob({
  name: "empty",
  input: unchecked<{ n: number }>(),
  run() {
    if (++ran === jobs) finished.resolve();
  },
});
const builder = createHost({ name: "drain", logger: silentLogger });
builder.addJobs({ store, jobs: [empty] });
const host = builder.build();
await host.start();
await finished.promise;
console.log("the drain is over");
process.exit();
