/** The cron command, as a person runs it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { cronCommand } from "../../src/cli/cron-command.ts";
import { VirtualClock } from "../../src/time/index.ts";

const clock = new VirtualClock({ start: "2026-03-28T00:00:00Z" });

function nightshift(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cli/main.ts", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("nightshift cron prints the next fires with offsets and a warning for each daylight-saving edge", () => {
  const { status, stdout } = nightshift(
    "cron",
    "30 2 * * *",
    "--zone",
    "Europe/Oslo",
    "--from",
    "2026-03-28T00:00:00Z",
    "--count",
    "2",
  );
  assert.equal(status, 0);
  assert.match(stdout, /2026-03-29 03:00:00 \+02:00 {3}2026-03-29T01:00:00\.000Z/);
  assert.match(
    stdout,
    /! 2026-03-29: the clock goes from 02:00 to 03:00; 02:30 does not exist and fires once, at 03:00\./,
  );
});

test("what was typed wrong ends with status 2 and says so", () => {
  const wrong = nightshift("cron", "61 * * * *");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /minute is 0-59, got 61 at column 1/);
  assert.match(nightshift("corn").stderr, /Did you mean "cron"\?/);
  assert.throws(() => cronCommand(["30", "2", "*", "*", "*"], clock), { code: "NS_OPTION_INVALID", message: /quotes/ });
  assert.throws(() => cronCommand(["* * * * *", "--tz", "UTC"], clock), { code: "NS_OPTION_UNKNOWN" });
  assert.throws(() => cronCommand(["* * * * *", "--from", "tomorrow"], clock), {
    code: "NS_TIME_INVALID",
    message: /"tomorrow"/,
  });
  assert.throws(() => cronCommand(["* * * * *", "--count", "all"], clock), {
    message: /--count is "all"\. Give a whole/,
  });
});

test("without --from it begins now, and --json is for programs", () => {
  const explained = JSON.parse(cronCommand(["H 3 * * *", "--key", "clean-up", "--json", "--count", "1"], clock));
  assert.equal(explained.fires[0].local.slice(0, 13), "2026-03-28T03");
});
