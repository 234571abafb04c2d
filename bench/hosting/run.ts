/**
 * The host beside NestJS and Fastify: the statements that all of them can express, and the overhead of a thousand
 * services. `npm --prefix bench/hosting install` first, then `node bench/hosting/run.ts`. Writes RESULTS.md beside it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

const PEERS = ["nightshift", "nest", "fastify"] as const;
const HEADS = { nightshift: "Nightshift", nest: "NestJS 12", fastify: "Fastify 5" };
const COUNT = 1_000;
const folder = import.meta.dirname;
if (!existsSync(join(folder, "node_modules"))) {
  console.error("The peers are missing: npm --prefix bench/hosting install");
  process.exit(1);
}

const run = <T>(program: string, ...args: readonly string[]): T => {
  const output = execFileSync(process.execPath, ["--expose-gc", join(folder, "peers", program), ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as T;
};

const results = PEERS.map((peer) => run<Record<string, boolean | string>>("statements.mjs", peer));
const statements = Object.keys(results[0] ?? {});
const word = (result: boolean | string | undefined) =>
  result === true ? "yes" : result === false ? "no" : `**${result ?? "not run"}**`;
const rows = statements.map(
  (statement) => `| ${statement} | ${results.map((each) => word(each[statement])).join(" | ")} |`,
);

interface Overhead {
  readonly start: number;
  readonly stop: number;
  readonly bytesPerService: number;
}
const overhead = PEERS.map((peer) => run<Overhead>("overhead.mjs", peer, String(COUNT)));
const line = (what: string, value: (each: Overhead) => string) => `| ${what} | ${overhead.map(value).join(" | ")} |`;

const head = `| | ${PEERS.map((peer) => HEADS[peer]).join(" | ")} |\n|---|---|---|---|`;
const text = `# The host beside NestJS and Fastify

Written by \`node bench/hosting/run.ts\` on ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}. Services are providers
of one module with \`onModuleInit\` and \`onModuleDestroy\` in NestJS, and plugins with \`onReady\` and \`onClose\` in Fastify.
"hangs": not settled after 3 s; neither has a time limit for the stop.

## Statements that all of them can express

${head}
${rows.join("\n")}

## ${COUNT.toLocaleString("en")} services that do nothing

Medians of 5 rounds in one process; memory is the heap after the start, less the heap before, per service.

${head}
${line("build and start, ms", ({ start }) => start.toFixed(1))}
${line("stop, ms", ({ stop }) => stop.toFixed(1))}
${line("bytes per service", ({ bytesPerService }) => bytesPerService.toFixed(0))}
`;
writeFileSync(join(folder, "RESULTS.md"), text);
console.log(text);
