import assert from "node:assert/strict";
import { test } from "node:test";
import { Database } from "../../../src/store/postgres/database.ts";
import { Notifier } from "../../../src/store/postgres/notifier.ts";
import { settingsOf } from "../../../src/store/postgres/options.ts";
import { channelOf } from "../../../src/store/postgres/quote.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { systemClock, VirtualClock } from "../../../src/time/index.ts";
import { eventually } from "../../support/eventually.ts";
import { freshSchema, postgresUrl, rawClient } from "../../support/postgres.ts";

test("an ear that hears others asks itself nothing; after 20 seconds of silence it asks whether it hears", async () => {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  await using ends = new AsyncDisposableStack();
  const raw = await rawClient(connectionString);
  ends.defer(() => raw.end());
  let asked = 0;
  raw.on("notification", ({ payload }) => {
    if (payload?.includes('"probe"')) asked++;
  });
  await raw.query(`listen ${channelOf(schema)}`);
  const database = await Database.create(settingsOf({ connectionString, schema }), systemClock, silentLogger);
  ends.defer(() => database.end());
  const clock = new VirtualClock();
  let heard = 0;
  const hearing = { heard: () => void heard++, missed: () => undefined };
  const notifier = new Notifier(database, clock, silentLogger, hearing, () => database.connect());
  ends.defer(() => notifier.close());
  await notifier.start();
  await eventually(() => assert.ok(notifier.hears && asked === 1));
  await clock.advance("3s");
  for (let round = 1; round <= 3; round++) {
    await clock.advance("11s");
    await raw.query("select pg_notify($1, $2)", [channelOf(schema), JSON.stringify({ from: "another" })]);
    await eventually(() => assert.equal(heard, round));
  }
  assert.equal(asked, 1);
  await clock.advance("20s");
  await eventually(() => assert.equal(asked, 2));
});
