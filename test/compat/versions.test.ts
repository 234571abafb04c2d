/**
 * The packed package on every Node line it supports, and the one sentence that an older Node gets. Each Node comes from
 * npm. Long: `npm run test:compat`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startProgram } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { npm } from "../support/npm.ts";
import { postgresUrl } from "../support/postgres.ts";
import { root, snippets } from "../support/snippets.ts";

const run = promisify(execFile);
const folder = temporaryFolder();
const project = join(folder.path, "project");

before(async () => {
  mkdirSync(project);
  const [packed] = JSON.parse(await npm(root, "pack", "--json", "--silent", "--pack-destination", folder.path)) as [
    { filename: string },
  ];
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await npm(
    project,
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    join(folder.path, packed.filename),
    "zod@4",
    "fast-check@4",
    "pg@8",
  );
  const quickStart = snippets(["README.md"]).find(({ info }) => info === "app.ts");
  writeFileSync(
    join(project, "app.ts"),
    (quickStart?.code ?? "").replace("port: 3000", "port: 0").replace("Math.random() < 0.3", "job.attempt === 1"),
  );
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--module", "nodenext", "--target", "es2023", "--lib", "es2024,esnext.disposable", "--skipLibCheck"];
  await run(process.execPath, [tsc, ...flags, "--types", "", "app.ts"], { cwd: project }).catch(
    (error: { stdout: string }) => assert.fail(error.stdout),
  );
});
after(() => folder[Symbol.dispose]());

/** The path of a Node of this version, installed from npm. */
async function node(version: string): Promise<string> {
  const home = join(folder.path, `node-${version}`);
  const program = join(home, "node_modules", "node", "bin", "node");
  if (existsSync(home)) return program;
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  await npm(home, "install", "--prefer-offline", "--no-audit", "--no-fund", `node@${version}`);
  return program;
}

/** The conformance of the stores, as programs of the installed package. */
const ON_SQLITE = `
import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { sqlite } from "nightshift/sqlite";
import { capturingLogger, VirtualClock } from "nightshift/testing";
import { storeConformance } from "nightshift/testing/store-conformance";
storeConformance("sqlite", {
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-"));
    const clock = new VirtualClock();
    const open = async () => {
      const store = sqlite({ path: join(folder, "test.db"), pollInterval: 20, durability: "normal" });
      await store.open({ clock, logger: capturingLogger() });
      return store;
    };
    const store = await open();
    const dispose = () => store.close().then(() => rmSync(folder, { recursive: true, force: true }));
    const advance = (milliseconds) => clock.advance(milliseconds);
    return { store, advance, jump: (by) => clock.jump(clock.now() + by), second: open, dispose };
  },
});
`;

/** Time passes in the database: the function of its clock is made anew. */
const ON_POSTGRES = `
import { silentLogger, systemClock } from "nightshift";
import { postgres } from "nightshift/postgres";
import { storeConformance } from "nightshift/testing/store-conformance";
import pg from "pg";
const [connectionString, prefix] = process.argv.slice(2);
let schemas = 0;
storeConformance("postgres", {
  async create() {
    const schema = prefix + "_" + ++schemas;
    const open = async () => {
      const store = postgres({ connectionString, schema, connections: 4 });
      await store.open({ clock: systemClock, logger: silentLogger });
      return store;
    };
    const store = await open();
    const raw = new pg.Client({ connectionString });
    await raw.connect();
    let ahead = 0;
    const advance = async (milliseconds) => {
      ahead += Math.ceil(milliseconds);
      await raw.query("create or replace function " + schema + ".now_ms() returns bigint language sql volatile " +
        "return (extract(epoch from clock_timestamp()) * 1000)::bigint + " + ahead);
    };
    const dispose = async () => {
      await store.close();
      await raw.query("set client_min_messages = warning; drop schema " + schema + " cascade");
      await raw.end();
    };
    return { store, advance, second: open, dispose };
  },
});
`;

/** Runs a program of the conformance suite on a Node of this version. */
async function conforms(version: string, program: string, ...words: readonly string[]): Promise<void> {
  writeFileSync(join(project, "conformance.js"), program);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = { cwd: project, env, maxBuffer: 2 ** 26 };
  await run(await node(version), ["conformance.js", ...words], options).catch((error: { stdout: string }) =>
    assert.fail(error.stdout.slice(-8_000)),
  );
}

for (const version of ["22.13.0", "22", "24", "26"]) {
  test(`on Node ${version} the quick start runs its jobs and stops on Ctrl+C with code 0`, async () => {
    await using app = startProgram(await node(version), [version === "22.13.0" ? "app.js" : "app.ts"], {
      cwd: project,
    });
    await app.until(/Hello, world/);
    app.process.kill("SIGINT");
    assert.deepEqual(await app.ended, { code: 0, signal: null }, app.output());
  });

  test(`on Node ${version} the SQLite store keeps the contract`, () => conforms(version, ON_SQLITE));

  test(`on Node ${version} the PostgreSQL store keeps the contract`, async () => {
    await conforms(version, ON_POSTGRES, await postgresUrl(), `on_${version.replaceAll(".", "_")}`);
  });

  test(`on Node ${version} the command says only what was asked for`, async () => {
    const command = join("node_modules", "nightshift", "dist", "cli", "main.js");
    const { stdout, stderr } = await run(await node(version), [command, "cron", "0 3 * * *", "--count", "1"], {
      cwd: project,
    });
    assert.match(stdout, /^At 03:00/);
    assert.equal(stderr, "");
  });
}

/** Checked by the compiler with its own types of Temporal, and run where Temporal is built in. */
const TEMPORAL = `
import { calendarInterval, cron, recurrence } from "nightshift/time";
const zoned = Temporal.ZonedDateTime.from("2026-03-29T01:00:00+01:00[Europe/Oslo]");
const nightly = cron("30 2 * * *", { timeZone: "Europe/Oslo" });
const next: Temporal.ZonedDateTime | null = nightly.next(zoned);
const before: Temporal.Instant | null = nightly.previous(zoned.toInstant());
const coming: Temporal.Instant[] = nightly.upcoming(2, zoned.toInstant(), { inclusive: true });
const date: Date | null = nightly.next(new Date(zoned.epochMilliseconds));
// @ts-expect-error an instant is not answered with a date
const wrong: Date | null = nightly.next(zoned.toInstant());
const daily = recurrence("FREQ=DAILY", { start: zoned.toPlainDateTime(), timeZone: "Europe/Oslo", exclude: [zoned.toPlainDate()] });
const monthly = calendarInterval(1, "month", { start: zoned });
const afterNanosecond = cron("0 * * * *").next(zoned.toInstant().add({ nanoseconds: 1 }), { inclusive: true });
console.log([next, before, ...coming, date?.toISOString(), wrong, daily.next(zoned), monthly, afterNanosecond].join("\\n"));
console.log(next instanceof Temporal.ZonedDateTime && before instanceof Temporal.Instant && date instanceof Date);
`;

test("on Node 26 the types of Temporal come back as what they were", async () => {
  writeFileSync(join(project, "temporal.ts"), TEMPORAL);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--ignoreConfig", "--module", "nodenext", "--target", "es2023", "--strict", "--types", ""];
  await run(process.execPath, [tsc, ...flags, "--lib", "esnext,dom", "temporal.ts"], { cwd: project }).catch(
    (error: { stdout: string }) => assert.fail(error.stdout),
  );
  const { stdout } = await run(await node("26"), ["temporal.js"], { cwd: project });
  assert.deepEqual(stdout.trim().split("\n"), [
    "2026-03-29T03:00:00+02:00[Europe/Oslo]",
    "2026-03-28T01:30:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-30T00:30:00Z",
    "2026-03-29T01:00:00.000Z",
    "2026-03-29T01:00:00Z",
    "2026-03-30T01:00:00+02:00[Europe/Oslo]",
    "every 1 month from 2026-03-29T01:00:00 in Europe/Oslo",
    "2026-03-29T01:00:00Z",
    "true",
  ]);
});

test("Node 20 gets one clear sentence from every entry point, and no stack", async () => {
  const old = await node("20");
  for (const entry of ["nightshift", "nightshift/sqlite", "nightshift/time", "nightshift/memory"]) {
    const program = `import(${JSON.stringify(entry)}).catch((error) => { console.log(String(error.stack)); process.exit(1); })`;
    const failed = await run(old, ["--input-type=module", "-e", program], { cwd: project }).then(
      () => assert.fail(`${entry} was loaded by Node 20`),
      (error: { stdout: string }) => error.stdout.trim(),
    );
    assert.match(failed, /^\S*NS_NODE_VERSION: .*22\.13.*20\.\d+/, entry);
    assert.equal(failed.split("\n").length, 1, failed);
  }
});
