/**
 * Signals and exit codes of the packed package on every Node line it supports: statements C-087 to C-095 once more, with
 * the program of the ordinary tests. Long: `npm run test:compat`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startProgram } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { npm } from "../support/npm.ts";
import { root } from "../support/snippets.ts";

const run = promisify(execFile);
const folder = temporaryFolder();
const project = join(folder.path, "project");
const QUIET = ["--prefer-offline", "--no-audit", "--no-fund"];

before(async () => {
  mkdirSync(project);
  const packed = await npm(root, "pack", "--json", "--silent", "--pack-destination", folder.path);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await npm(project, "install", ...QUIET, join(folder.path, filename));
  const program = readFileSync(join(root, "test", "hosting", "programs", "process.ts"), "utf8");
  writeFileSync(join(project, "process.ts"), program.replace("../../../src/index.ts", "nightshift"));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--module", "nodenext", "--target", "es2023", "--lib", "es2024,esnext.disposable", "--skipLibCheck"];
  const types = ["--typeRoots", join(root, "node_modules", "@types"), "--types", "node"];
  await run(process.execPath, [tsc, ...flags, ...types, "process.ts"], { cwd: project }).catch(
    (error: { stdout: string }) => assert.fail(error.stdout),
  );
});
after(() => folder[Symbol.dispose]());

/** The path of a Node of this version, installed from npm. */
async function node(version: string): Promise<string> {
  const home = join(folder.path, `node-${version}`);
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  await npm(home, "install", ...QUIET, `node@${version}`);
  return join(home, "node_modules", "node", "bin", "node");
}

for (const version of ["22.13.0", "22", "24", "26"]) {
  test(`on Node ${version} signals, failures and hangs end the process with the right code`, async () => {
    const path = await node(version);
    const ended = async (what: string, ...signals: NodeJS.Signals[]) => {
      await using child = startProgram(path, ["process.js", what], { cwd: project });
      for (const [index, signal] of signals.entries()) {
        await child.until(index === 0 ? /ready/ : /asked to stop/);
        child.process.kill(signal);
      }
      return (await child.ended).code;
    };
    assert.equal(await ended("waits", "SIGTERM"), 0);
    assert.equal(await ended("waits", "SIGINT"), 0);
    assert.equal(await ended("exit-123", "SIGQUIT"), 123);
    assert.equal(await ended("exit-124"), 124);
    assert.equal(await ended("fails"), 1);
    assert.equal(await ended("uncaught"), 1);
    assert.equal(await ended("unhandled"), 1);
    assert.equal(await ended("listener-throws", "SIGTERM"), 1);
    assert.equal(await ended("hangs-short", "SIGTERM"), 1);
    assert.equal(await ended("hangs", "SIGTERM", "SIGTERM"), 143);
    assert.equal(await ended("callbacks-run", "SIGINT"), 0);
  });
}
