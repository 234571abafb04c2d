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

/** A notifier that listens, and what it and others say on its channel. */
async function listening(ends: AsyncDisposableStack) {
  const connectionString = await postgresUrl();
  const schema = freshSchema();
  const raw = await rawClient(connectionString);
  ends.defer(() => raw.end());
  const said: Record<string, unknown>[] = [];
  raw.on("notification", ({ payload }) => said.push(payload?.startsWith('{"from":"') ? JSON.parse(payload) : {}));
  await raw.query(`listen ${channelOf(schema)}`);
  const database = await Database.create(settingsOf({ connectionString, schema }), systemClock, silentLogger);
  ends.defer(() => database.end());
  const clock = new VirtualClock();
  let heard = 0;
  let missed = 0;
  const hearing = { heard: () => void heard++, missed: () => void missed++ };
  const notifier = new Notifier(database, clock, silentLogger, hearing, () => database.connect());
  ends.defer(() => notifier.close());
  await notifier.start();
  const notify = (payload: string) => raw.query("select pg_notify($1, $2)", [channelOf(schema), payload]);
  const tell = () => notify(JSON.stringify({ from: "another" }));
  return { notifier, clock, said, notify, tell, heard: () => heard, missed: () => missed };
}

test("an ear that hears others asks itself nothing; after 20 seconds of silence it asks whether it hears", async () => {
  await using ends = new AsyncDisposableStack();
  const { notifier, clock, said, tell, heard } = await listening(ends);
  const asked = () => said.filter(({ probe }) => probe !== undefined).length;
  await eventually(() => assert.ok(notifier.hears && asked() === 1));
  await clock.advance("3s");
  for (let round = 1; round <= 3; round++) {
    await clock.advance("11s");
    await tell();
    await eventually(() => assert.equal(heard(), round));
  }
  assert.equal(asked(), 1);
  await clock.advance("20s");
  // Once more where this clock was faster than the server's answer to the first question.
  await eventually(() => assert.ok(asked() >= 2));
});

test("more finished jobs than one wake-up can name send nobody to look everywhere", async () => {
  await using ends = new AsyncDisposableStack();
  const { notifier, said } = await listening(ends);
  await eventually(() => assert.ok(notifier.hears));
  for (let n = 0; n < 2_000; n++) notifier.say({ finished: [`20784-1764201234${n}`], queues: ["q"] });
  await eventually(() => assert.ok(said.some(({ queues }) => queues !== undefined)));
  const [news] = said.filter(({ probe }) => probe === undefined);
  const { queues, finished } = news as { readonly queues: unknown; readonly finished: readonly string[] };
  assert.deepEqual([queues, finished.length], [["q"], 100]);
});

test("foreign words on the channel are a reason to look, and neither news nor the end of the ear", async () => {
  await using ends = new AsyncDisposableStack();
  const { notifier, notify, tell, heard, missed } = await listening(ends);
  await eventually(() => assert.ok(notifier.hears));
  const ear = notifier.ear;
  const foreign = [
    ...[
      "",
      "null",
      "7",
      "[]",
      "{}",
      '"text"',
      "{",
      '{"from":1}',
      '{"from":"x","queues":7}',
      '{"from":"x","queues":[1]}',
    ],
    ...[
      '{"from":"x","lanes":{}}',
      '{"from":"x","lanes":[1]}',
      '{"from":"x","lanes":[[1,"x"]]}',
      '{"from":"x","lanes":[["1","1"]]}',
    ],
    ...['{"from":"x","finished":[null]}', '{"from":"x","scheduledAt":"soon"}'],
  ];
  const before = missed();
  for (const payload of foreign) await notify(payload);
  await tell();
  await eventually(() => assert.equal(heard(), 1));
  assert.equal(missed() - before, foreign.length);
  assert.equal(notifier.ear, ear);
  assert.ok(notifier.hears);
});
