/** A candidate: while it leads it appends its fencing token to a file. Arguments: the database, the file. */
import { appendFileSync } from "node:fs";
import { createHost } from "../../../src/index.ts";
import { sqlite } from "../../../src/store/sqlite/index.ts";

const [database = "", file = ""] = process.argv.slice(2);
const builder = createHost({ name: "candidate", configuration: false, logLevel: "warn" });
builder.addJobs({ store: sqlite(database), jobs: [] });
builder.addHostedService(
  {
    async execute(stopping, { term }) {
      console.log(`leading ${term?.token}`);
      while (!stopping.aborted) {
        // Looked at right before the effect: a frozen process must not act on a term of the past.
        if (term?.held === true) appendFileSync(file, `${term.token} ${process.pid}\n`);
        await new Promise<void>((resolve) => setTimeout(resolve, 20));
      }
      console.log("left");
    },
  },
  { name: "duty", leaderOnly: { ttl: "1500ms" } },
);
await builder.build().run();
