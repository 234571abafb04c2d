/** How stored texts, lengths and moments are made ready for a reader's eye. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { viewError, viewErrorHead } from "../../src/dashboard/server/error-view.ts";
import { hiddenBy, REDACTED_BY_DEFAULT, showJson } from "../../src/dashboard/server/redact.ts";
import { count, duration, relative, timeIn } from "../../src/dashboard/ui/format.ts";

describe("stored JSON that is shown", () => {
  it("says what was stored, whatever it is, when nothing is to be hidden", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { text: shown, redacted } = showJson(text, () => false);
        assert.equal(JSON.stringify(JSON.parse(shown)), JSON.stringify(JSON.parse(text)));
        assert.equal(redacted, 0);
      }),
    );
  });

  it("never shows what stands under a hidden name, at any depth and in any spelling", () => {
    const spellings = [
      "password",
      "PASSWORD",
      "pass_word",
      "pass-word",
      "apiKey",
      "api_key",
      "API-KEY",
      "Authorization",
    ];
    const hidden = hiddenBy(REDACTED_BY_DEFAULT);
    const around = (inner: unknown) =>
      fc
        .constantFrom<(value: unknown) => unknown>(
          (value) => [value],
          (value) => ({ a: value }),
          (value) => [{ b: [value] }],
        )
        .map((wrap) => wrap(inner));
    const secret = fc.constantFrom<unknown>("s3cr3t", ["s3cr3t"], { deep: { s3cr3t: "s3cr3t" } });
    const stored = fc
      .tuple(fc.constantFrom(...spellings), secret)
      .chain(([name, value]) => around({ kept: 1, [name]: value }).chain(around));
    fc.assert(
      fc.property(stored, (value) => {
        const { text, redacted } = showJson(JSON.stringify(value), hidden);
        assert.ok(!text.includes("s3cr3t") && text.includes("kept"));
        assert.ok(redacted >= 1);
      }),
    );
  });

  it("keeps numbers digit for digit, and says so when it cannot show a text", () => {
    const { text } = showJson('{"id":12345678901234567890,"rate":0.10,"big":1e400}', () => false);
    assert.match(text, /12345678901234567890,\s+"rate": 0\.10,\s+"big": 1e400/);
    assert.match(showJson("{not json", () => false).text, /not JSON/);
    assert.match(showJson(`${"[".repeat(200_000)}${"]".repeat(200_000)}`, () => false).text, /not shown|\[/);
    assert.equal(showJson(JSON.stringify("x".repeat(300_000)), () => false).cut, true);
  });
});

describe("stored errors that are shown", () => {
  it("never fail to be shown, whatever text is stored", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.equal(typeof viewError(text)?.message, "string");
        assert.equal(typeof viewErrorHead(text)?.message, "string");
      }),
    );
    assert.equal(viewError(null), null);
  });

  it("have at most five causes, so that a circle written by hand ends", () => {
    let error: object = { message: "innermost" };
    for (let depth = 0; depth < 20; depth++) error = { name: "E", message: `${depth}`, cause: error };
    assert.equal(viewError(JSON.stringify(error))?.causes.length, 5);
  });
});

describe("numbers and times that are shown", () => {
  it("are short, and exact enough for what they are", () => {
    assert.deepEqual([0, 999, 1_234, 123_456, 1_500_000].map(count), ["0", "999", "1,234", "123.5K", "1.5M"]);
    const lengths = [0, 850, 4_200, 59_400, 185_000, 7_800_000, 356_400_000].map(duration);
    assert.deepEqual(lengths, ["0 ms", "850 ms", "4.2 s", "59 s", "3 min 5 s", "2 h 10 min", "4 d 3 h"]);
  });

  it("are rough for the past and exact for what is waited for", () => {
    const now = 1_800_000_000_000;
    const distances = [-7_800_000, -185_000, -4_200, -900, 0, 4_200, 185_000, 7_800_000];
    assert.deepEqual(
      distances.map((distance) => relative(now + distance, now)),
      ["2 h ago", "3 min ago", "4 s ago", "now", "now", "in 4 s", "in 3 min 5 s", "in 2 h 10 min"],
    );
  });

  it("stand in the schedule's zone with the offset of that day", () => {
    assert.match(timeIn(Date.UTC(2026, 0, 5, 2), "Europe/Oslo"), /Mon.*05 Jan 2026.*03:00:00 GMT\+1/);
    assert.match(timeIn(Date.UTC(2026, 6, 6, 1), "Europe/Oslo"), /Mon.*06 Jul 2026.*03:00:00 GMT\+2/);
    assert.match(timeIn(0, "Mars/Olympus"), /1970/);
  });
});
