/** The package as a user gets it: built, packed, installed into an empty folder, compiled against, run. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startNode } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { npm } from "../support/npm.ts";
import { root, snippets } from "../support/snippets.ts";

const run = promisify(execFile);
const folder = temporaryFolder();
const project = folder.path;
let tarball = "";
let files: string[] = [];

before(async () => {
  const [packed] = JSON.parse(await npm(root, "pack", "--json", "--silent", "--pack-destination", project)) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = join(project, packed.filename);
  files = packed.files.map((file) => file.path);
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const dependencies = { nightshift: `file:${tarball}`, zod: devDependencies["zod"] };
  const devs = Object.fromEntries(["typescript", "@types/node"].map((name) => [name, devDependencies[name]]));
  const manifest = { private: true, type: "module", dependencies, devDependencies: devs };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  await npm(project, "install", "--prefer-offline", "--no-audit", "--no-fund");
});
after(() => folder[Symbol.dispose]());

test("the tarball holds the library, its sources, licence, README and changelog, and nothing else", () => {
  for (const needed of ["LICENSE", "README.md", "CHANGELOG.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  const allowed = /^(dist\/|src\/|(LICENSE|README\.md|CHANGELOG\.md|package\.json)$)/;
  assert.deepEqual(
    files.filter((file) => !allowed.test(file)),
    [],
  );
});

test("every entry point of package.json can be imported from the installed package", async () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, unknown>;
  };
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  // The store for PostgreSQL needs its driver only when it is opened, so that importing it needs nothing.
  const program = entries.map((entry) => `await import(${JSON.stringify(`nightshift${entry.slice(1)}`)});`).join("\n");
  writeFileSync(join(project, "entries.js"), `${program}\nconsole.log("all of them");\n`);
  const { stdout } = await run(process.execPath, ["entries.js"], { cwd: project });
  assert.match(stdout, /all of them/);
});

test("publint and are-the-types-wrong find nothing to complain of", async () => {
  const bin = (name: string) => join(root, "node_modules", ".bin", name);
  await run(bin("publint"), ["run", tarball, "--strict", "--pack", "false"], { cwd: root }).catch(
    (error: { stdout: string }) => assert.fail(`publint: ${error.stdout}`),
  );
  await run(bin("attw"), [tarball, "--profile", "esm-only"], { cwd: root }).catch((error: { stdout: string }) =>
    assert.fail(`attw: ${error.stdout}`),
  );
});

test("the README's quick start compiles under strict types, runs, and stops on Ctrl+C", async () => {
  const quickStart = snippets(["README.md"]).find(({ info }) => info === "app.ts");
  assert.ok(quickStart, "README.md has no block marked `ts app.ts`");
  assert.ok(quickStart.code.split("\n").length <= 32, "the quick start is longer than 30 lines");
  writeFileSync(join(project, "app.ts"), quickStart.code.replace("port: 3000", "port: 0"));
  const compilerOptions = {
    ...{ module: "nodenext", target: "es2023", lib: ["es2024", "esnext.disposable"], types: ["node"], strict: true },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: false },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["app.ts"] }));
  const tsc = join(project, "node_modules", "typescript", "bin", "tsc");
  await run(process.execPath, [tsc, "-p", project]).catch((error: { stdout: string }) => assert.fail(error.stdout));

  await using app = startNode(["app.ts"], { cwd: project });
  await app.until(/Hello, world/);
  app.process.kill("SIGINT");
  assert.deepEqual(await app.ended, { code: 0, signal: null }, app.output());
});
