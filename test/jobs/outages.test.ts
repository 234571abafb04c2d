import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { Outages } from "../../src/jobs/outages.ts";
import { capturingLogger } from "../../src/testing/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

const away = new NightshiftError("NS_STORE_UNAVAILABLE", "The database is away.");

function ground() {
  const clock = new VirtualClock();
  const logger = capturingLogger();
  const outages = new Outages(clock, logger);
  return { clock, logger, outages, errors: () => logger.messages("error"), infos: () => logger.messages("info") };
}

test("an outage is said once with its error, then ever more seldom with who met it, and once when all go on", async () => {
  const { clock, logger, outages, errors, infos } = ground();
  for (let second = 0; second < 600; second += 5) {
    for (const part of ["worker", "heartbeat", "promoter"]) outages.failed(part, away, 5_000);
    await clock.advance("5s");
  }
  const [first, ...later] = errors();
  assert.equal(
    first,
    "The worker failed, and tries again until it succeeds: NS_STORE_UNAVAILABLE: The database is away.",
  );
  assert.equal(logger.entries.find(({ message }) => message === first)?.error, away);
  assert.deepEqual(
    later.map((message) => /for (.+?) \(/.exec(message)?.[1]),
    ["30s", "1m 30s", "3m 30s", "7m 30s"],
  );
  assert.match(later[0] ?? "", /\(worker, heartbeat, promoter\); .*The database is away\.$/);
  outages.succeeded("worker");
  outages.succeeded("heartbeat");
  assert.deepEqual(infos(), []);
  outages.succeeded("promoter");
  assert.deepEqual(infos(), ["Works again, after 10m (worker, heartbeat, promoter)."]);
  outages.succeeded("promoter");
  outages.failed("promoter", away, 100);
  assert.equal(errors().length, 6, "the next one is another one");
});

test("what one part meets while another fails otherwise is said for itself, and each of them ends for itself", async () => {
  const { clock, outages, errors, infos } = ground();
  outages.failed("worker", away, 100);
  outages.failed("retention", new TypeError("x is not a function"), 100);
  outages.failed("retention", new TypeError("x is not a function"), 200);
  assert.deepEqual(
    errors().map((message) => message.split(",")[0]),
    ["The worker failed", "The retention failed"],
  );
  await clock.advance("2s");
  outages.succeeded("retention");
  assert.deepEqual(infos(), ["Works again, after 2s (retention)."]);
  await clock.advance("40s");
  outages.failed("worker", away, 100);
  assert.match(errors()[2] ?? "", /^Still failing, for 42s \(worker\)/);
});

test("each single failure is there for those who look at level debug", () => {
  const { logger, outages } = ground();
  outages.failed("worker", away, 84.6);
  outages.failed("reaper", away, 171);
  assert.deepEqual(logger.messages("debug"), [
    "The worker failed, again in 85 ms: NS_STORE_UNAVAILABLE: The database is away.",
    "The reaper failed, again in 171 ms: NS_STORE_UNAVAILABLE: The database is away.",
  ]);
});
