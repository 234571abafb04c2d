/**
 * How long a next fire time takes, beside croner and cron-parser: `npm run bench:cron`. Every engine walks the same
 * fire times, one call each; parsing is not counted. Rounds of all engines alternate, and the best round of each counts.
 */
import { availableParallelism, cpus } from "node:os";
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import { cron } from "../../src/time/index.ts";

const CASES = [
  ["*/5 * * * *", "UTC"],
  ["*/5 * * * *", "America/New_York"],
  ["30 2 * * *", "America/New_York"],
  ["0 9 * * 1-5", "Europe/Oslo"],
  ["0 0 29 2 *", "UTC"],
  ["0 0 29 2 *", "Europe/Oslo"],
] as const;
const START = new Date("2026-01-01T00:00:00Z");
const ROUNDS = 5;
const ROUND_MS = 150;

type Step = () => void;
type Engine = (expression: string, timeZone: string) => Step;

const ENGINES: Readonly<Record<string, Engine>> = {
  nightshift(expression, timeZone) {
    const trigger = cron(expression, { timeZone });
    let at = START;
    return () => {
      at = trigger.next(at) ?? START;
    };
  },
  croner(expression, timeZone) {
    const job = new Cron(expression, { timezone: timeZone, paused: true });
    let at = START;
    return () => {
      at = job.nextRun(at) ?? START;
    };
  },
  "cron-parser"(expression, timeZone) {
    const options = { tz: timeZone, currentDate: START };
    let job = CronExpressionParser.parse(expression, options);
    return () => {
      if (job.hasNext()) job.next();
      else job = CronExpressionParser.parse(expression, options);
    };
  },
};

/** Calls a second in one round. */
function round(step: Step): number {
  const started = performance.now();
  let calls = 0;
  while (performance.now() - started < ROUND_MS) {
    for (let n = 0; n < 20; n++) step();
    calls += 20;
  }
  return calls / ((performance.now() - started) / 1_000);
}

const microseconds = (perSecond: number) => (1_000_000 / perSecond).toFixed(2);

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} threads\n`);
console.log("| expression | zone | nightshift µs | croner µs | cron-parser µs | times croner | times cron-parser |");
console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
for (const [expression, timeZone] of CASES) {
  const best: Record<string, number> = {};
  const steps = Object.entries(ENGINES).map(([name, engine]) => [name, engine(expression, timeZone)] as const);
  for (let n = 0; n < ROUNDS; n++) {
    for (const [name, step] of steps) best[name] = Math.max(best[name] ?? 0, round(step));
  }
  const { nightshift = 0, croner = 0, "cron-parser": parser = 0 } = best;
  const times = [nightshift, croner, parser].map(microseconds).join(" | ");
  const ratios = [croner, parser].map((other) => `${(nightshift / other).toFixed(0)}×`).join(" | ");
  console.log(`| \`${expression}\` | ${timeZone} | ${times} | ${ratios} |`);
}

const never = cron("0 0 30 2 *", { timeZone: "America/New_York" });
const perSecond = Math.max(...Array.from({ length: ROUNDS }, () => round(() => void never.next(START))));
console.log(`\nAn expression that never fires (\`0 0 30 2 *\`) says so in ${microseconds(perSecond)} µs.`);
