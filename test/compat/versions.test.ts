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
  );
  const quickStart = snippets(["README.md"]).find(({ info }) => info === "app.ts");
  writeFileSync(join(project, "app.ts"), (quickStart?.code ?? "").replace("port: 3000", "port: 0"));
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

/** The SQLite store's conformance, as a program of the installed package. */
const CONFORMANCE = `
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

for (const version of ["22.13.0", "22", "24", "26"]) {
  test(`on Node ${version} the quick start runs its jobs and stops on Ctrl+C with code 0`, async () => {
    await using app = startProgram(await node(version), ["app.js"], { cwd: project });
    await app.until(/Hello, world/);
    app.process.kill("SIGINT");
    assert.deepEqual(await app.ended, { code: 0, signal: null }, app.output());
  });

  test(`on Node ${version} the SQLite store keeps the contract`, async () => {
    writeFileSync(join(project, "conformance.js"), CONFORMANCE);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    await run(await node(version), ["conformance.js"], { cwd: project, env, maxBuffer: 2 ** 26 }).catch(
      (error: { stdout: string }) => assert.fail(error.stdout.slice(-8_000)),
    );
  });
}

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
