/** A PostgreSQL store whose functions have pause points, for tests that stop one operation in the middle of another. */
import { postgres } from "../../../src/store/postgres/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import type { StoreUnderTest } from "../../../src/testing/store-conformance/index.ts";
import { systemClock } from "../../../src/time/index.ts";
import { layPausePoints, PAUSED, passedPoints, pauseAt, setPausedClockAhead } from "../../support/pause-points.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";

export type Prepare = (client: Awaited<ReturnType<typeof rawClient>>, schema: string) => Promise<void>;

export interface PausingStore extends StoreUnderTest {
  readonly second: NonNullable<StoreUnderTest["second"]>;
  readonly passedPoints: NonNullable<StoreUnderTest["passedPoints"]>;
  readonly pauseAt: NonNullable<StoreUnderTest["pauseAt"]>;
  readonly schema: string;
  readonly pausePoints: readonly string[];
  /** A client of the test's own on the same database. */
  readonly raw: Awaited<ReturnType<typeof rawClient>>;
}

/** @param prepare changes the schema before points are laid: to break it on purpose, say */
export async function pausingStore(prepare?: Prepare): Promise<PausingStore> {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const open = async (applicationName: string) => {
    const store = postgres({ connectionString, schema, connections: 4, applicationName });
    await store.open({ clock: systemClock, logger: silentLogger });
    return store;
  };
  const store = await open(PAUSED);
  const raw = await rawClient(connectionString);
  await prepare?.(raw, schema);
  const pausePoints = await layPausePoints(raw, schema);
  let ahead = 0;
  return {
    ...{ store, schema, pausePoints, raw },
    async advance(milliseconds) {
      ahead += Math.ceil(milliseconds);
      await setPausedClockAhead(raw, schema, ahead);
    },
    second: () => open("second"),
    passedPoints: () => passedPoints(raw, schema),
    pauseAt: (point) => pauseAt(raw, schema, point),
    async dispose() {
      await store.close();
      await raw.query(`drop schema ${schema} cascade`);
      await raw.end();
    },
  };
}
