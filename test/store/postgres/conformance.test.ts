import type { Store } from "../../../src/store/contract.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { type StoreUnderTest, storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { emptySchema, freshSchema, postgresUrl, rawClient, setClockAhead } from "../../support/postgres.ts";

/** Schemas whose tests are over: emptying one takes a tenth of the time that making one does. */
const emptied: string[] = [];

storeConformance("postgres", {
  async create(): Promise<StoreUnderTest> {
    const connectionString = await postgresUrl();
    const schema = emptied.pop() ?? freshSchema();
    const open = async (): Promise<Store> => {
      const store = postgres({ connectionString, schema, connections: 4 });
      await store.open({ clock: systemClock, logger: silentLogger });
      return store;
    };
    const store = await open();
    const raw = await rawClient(connectionString);
    let ahead = 0;
    return {
      store,
      async advance(milliseconds) {
        ahead += Math.ceil(milliseconds);
        await setClockAhead(raw, schema, ahead);
      },
      second: open,
      async begin() {
        const client = await rawClient(connectionString);
        await client.query("begin");
        const end = async (how: "commit" | "rollback") => {
          await client.query(how);
          await client.end();
        };
        return { tx: client, commit: () => end("commit"), rollback: () => end("rollback") };
      },
      async dispose() {
        await store.close();
        await emptySchema(raw, schema);
        if (ahead > 0) await setClockAhead(raw, schema, 0);
        await raw.end();
        emptied.push(schema);
      },
    };
  },
});
