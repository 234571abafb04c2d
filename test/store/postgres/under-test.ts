/** A store for the conformance suite, on schemas that are emptied and used again: that takes a tenth of the time that making them does. */
import type { Store } from "../../../src/store/contract.ts";
import { postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import type { StoreUnderTest } from "../../../src/testing/store-conformance/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { emptySchema, freshSchema, postgresUrl, rawClient, setClockAhead } from "../../support/postgres.ts";

type Options = Parameters<typeof postgres>[0];

/** Makes stores of so many schemas each. */
export function storesOn(count: number, optionsOf: (connectionString: string, schemas: readonly string[]) => Options) {
  const emptied: (readonly string[])[] = [];
  return async (): Promise<StoreUnderTest> => {
    const connectionString = await postgresUrl();
    const schemas = emptied.pop() ?? Array.from({ length: count }, () => freshSchema());
    const open = async (): Promise<Store> => {
      const store = postgres(optionsOf(connectionString, schemas));
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
        for (const schema of schemas) await setClockAhead(raw, schema, ahead);
      },
      second: open,
      async dispose() {
        await store.close();
        for (const schema of schemas) {
          await emptySchema(raw, schema);
          if (ahead > 0) await setClockAhead(raw, schema, 0);
        }
        await raw.end();
        emptied.push(schemas);
      },
    };
  };
}
