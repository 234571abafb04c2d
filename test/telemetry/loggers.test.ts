import assert from "node:assert/strict";
import { test } from "node:test";
import { capturingLogger, consoleLogger, silentLogger } from "../../src/telemetry/index.ts";
import { VirtualClock } from "../../src/time/index.ts";

function lines(options: { level?: "debug" | "silent"; colours?: boolean } = {}) {
  const written: string[] = [];
  const logger = consoleLogger({
    clock: new VirtualClock(),
    colours: false,
    ...options,
    write: (line) => written.push(line),
  });
  return { logger, written };
}

test("a console line is time, level, name, message, then the facts", () => {
  const { logger, written } = lines();
  logger.child({ name: "shop", queue: "mail" }).info({ jobs: 3, took: "1.5s", who: "A B" }, "imported");
  assert.deepEqual(written, ['2026-01-01T00:00:00.000Z INFO  shop: imported queue=mail jobs=3 took=1.5s who="A B"']);
});

test("the level option hides what is below it", () => {
  const { logger, written } = lines();
  logger.debug("hidden");
  logger.warn("shown");
  assert.equal(written.length, 1);
  const talkative = lines({ level: "debug" });
  talkative.logger.debug("shown");
  talkative.logger.trace("hidden");
  assert.equal(talkative.written.length, 1);
  const silent = lines({ level: "silent" });
  silent.logger.fatal("hidden");
  assert.equal(silent.written.length, 0);
});

test("no value can forge a line or paint the terminal", () => {
  const { logger, written } = lines();
  const evil = "x\r\n2026 ERROR forged \u001b[31mred\u2028\u009b1m";
  logger.child({ name: evil }).info({ [evil]: evil, nested: { evil } }, evil);
  const [line = ""] = written;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are exactly what must not be there
  assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  assert.match(line, /x\\r\\n2026 ERROR forged \\u001b\[31mred/);
});

test("an error is written with its stack and causes, below the line", () => {
  const { logger, written } = lines();
  const error = new Error("outer", { cause: new Error("inner\u001b[2J") });
  logger.error({ err: error, job: 7 }, "it failed");
  logger.error(error);
  const [first = "", second = ""] = written;
  assert.match(first, /^\S+ ERROR it failed job=7\n {4}Error: outer\n/);
  assert.match(first, /\[cause\]: Error: inner\\u001b\[2J/);
  assert.match(second, /ERROR outer\n/);
});

test("colours are used only when asked for", () => {
  const { logger, written } = lines({ colours: true });
  logger.info("hello");
  assert.ok(written[0]?.includes("\u001b[32mINFO \u001b[0m hello"));
});

test("a capturing logger remembers what its children log; a silent one nothing", () => {
  const logger = capturingLogger();
  logger.child({ name: "a" }).child({ queue: "q" }).warn({ n: 1 }, "low");
  logger.info("two");
  silentLogger.child({}).fatal("nobody hears");
  assert.deepEqual(logger.messages(), ["low", "two"]);
  assert.deepEqual(logger.messages("warn"), ["low"]);
  assert.deepEqual(logger.entries[0], {
    level: "warn",
    message: "low",
    facts: { queue: "q", n: 1 },
    name: "a",
    error: undefined,
  });
});
