/** The package as a user gets it: built, packed, installed into an empty folder, compiled against, run. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
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

test("the tarball holds the library, its sources, guides, licence, README and changelog, and nothing else", () => {
  const documents = ["LICENSE", "README.md", "CHANGELOG.md", "docs/guides/postgres.md"];
  for (const needed of [...documents, "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  const allowed = /^(dist\/|src\/|docs\/guides\/|(LICENSE|README\.md|CHANGELOG\.md|package\.json)$)/;
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

test("the installed package looks at the pg of the application: none, and one that is too old, are told with what to do", async () => {
  const program = `import { postgres } from "nightshift/postgres";
    const silent = () => undefined;
    const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent, child: () => logger };
    const clock = { now: Date.now, monotonic: () => performance.now(), setTimer: () => ({ cancel: silent }) };
    await postgres("postgres://db/shop").open({ clock, logger }).catch(({ message }) => console.log(message));`;
  writeFileSync(join(project, "open.js"), program);
  const opened = async () => (await run(process.execPath, ["open.js"], { cwd: project })).stdout;
  assert.match(await opened(), /^NS_STORE_UNSUPPORTED: The PostgreSQL store needs the package pg\. .*npm install pg$/m);
  const pg = join(project, "node_modules", "pg");
  mkdirSync(pg);
  writeFileSync(join(pg, "package.json"), JSON.stringify({ name: "pg", version: "8.0.3", main: "index.js" }));
  writeFileSync(join(pg, "index.js"), "exports.Pool = class {};");
  assert.match(
    await opened(),
    /^NS_STORE_UNSUPPORTED: The package pg is 8\.0\.3 here\. .*8\.11 or newer: npm install/m,
  );
  rmSync(pg, { recursive: true });
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
  writeFileSync(
    join(project, "app.ts"),
    quickStart.code.replace("port: 3000", "port: 0").replace("Math.random() < 0.3", "job.attempt === 1"),
  );
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

/** Prints what a process has loaded once it has imported what it was told to: files, and modules of Node.js. */
const LOADED = `
import { registerHooks } from "node:module";
const files = [];
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) files.push(url.replace(/.*[/]nightshift[/]/, ""));
    return next(url, context);
  },
});
for (const entry of process.argv.slice(2)) await import(entry);
const builtins = process.moduleLoadList.map((name) => name.replace("NativeModule ", ""));
console.log(JSON.stringify({ files, builtins }));
`;

/** The files of JavaScript that importing these entry points loads, the sources in them, and modules of Node.js. */
async function loaded(...entries: string[]): Promise<Record<"files" | "sources" | "builtins", string[]>> {
  writeFileSync(join(project, "loaded.js"), LOADED);
  const { stdout } = await run(process.execPath, ["loaded.js", ...entries], { cwd: project });
  const { files, builtins } = JSON.parse(stdout) as { files: string[]; builtins: string[] };
  return { files, builtins, sources: files.flatMap(sourcesOf) };
}

/** The sources in a file of the installed package, as its map says: `src/index.ts`. One that only passes on has none. */
function sourcesOf(file: string): string[] {
  const installed = join(project, "node_modules", "nightshift");
  const map = join(installed, `${file}.map`);
  if (!existsSync(map)) return [];
  const { sources } = JSON.parse(readFileSync(map, "utf8")) as { sources: string[] };
  return sources.map((source) => relative(installed, join(installed, file, "..", source)).replaceAll("\\", "/"));
}

test("an application loads a file or two a room of the house, and no room that it did not ask for", async () => {
  const STORES = /^src\/store\/(memory|sqlite|postgres|sharded|operations)\//;
  const APART =
    /^src\/(dashboard\/server\/(?!written-trigger)|testing\/|cli\/)|^src\/hosting\/(start-thread|thread-entry)/;
  const unasked = /^(https?|tls|http2|sqlite|child_process|cluster)$/;

  const front = await loaded("nightshift");
  assert.ok(front.sources.includes("src/create-host.ts") && front.sources.length > 100, "the maps name the sources");
  assert.deepEqual(
    [...front.sources, ...front.builtins].filter((name) => STORES.test(name) || APART.test(name) || unasked.test(name)),
    [],
  );
  const onSqlite = await loaded("nightshift", "nightshift/sqlite");
  const onPostgres = await loaded("nightshift", "nightshift/postgres");
  assert.deepEqual(
    onSqlite.sources.filter((name) => /store\/(memory|postgres|sharded|operations)\//.test(name) || APART.test(name)),
    [],
  );
  assert.deepEqual(
    [...onPostgres.sources, ...onPostgres.builtins].filter(
      (name) => /store\/(memory|sqlite|operations)\//.test(name) || APART.test(name) || unasked.test(name),
    ),
    [],
  );
  for (const { files: some } of [front, onSqlite, onPostgres]) {
    assert.ok(some.length <= 22, `${some.length} files were loaded: ${some.join(", ")}`);
  }
  const scripts = files.filter((file) => file.startsWith("dist/") && file.endsWith(".js"));
  assert.ok(scripts.length <= 50, `the package has fallen apart into ${scripts.length} files of JavaScript`);
});

test("each module is in one file only, so that a class is the same whichever entry point it came from", () => {
  const scripts = globSync("dist/**/*.js", { cwd: join(project, "node_modules", "nightshift") });
  const places = new Map<string, string[]>();
  for (const script of scripts.filter((file) => !file.includes("ui"))) {
    for (const source of sourcesOf(script)) places.set(source, [...(places.get(source) ?? []), script]);
  }
  assert.ok(places.has("src/errors/nightshift-error.ts"));
  assert.deepEqual(
    [...places].filter(([, some]) => some.length > 1),
    [],
  );
});

test("the stack of an error names the function and the file, and the line of the source where maps are read", async () => {
  const program = `import { NightshiftError } from "nightshift";
import { parseDuration } from "nightshift/time";
try { parseDuration("soon", "timeout"); } catch (error) { console.log(error instanceof NightshiftError, error.stack); }`;
  writeFileSync(join(project, "stack.js"), program);
  const { stdout } = await run(process.execPath, ["stack.js"], { cwd: project });
  assert.match(stdout, /^true NightshiftError: NS_DURATION_INVALID/);
  assert.match(stdout, /at parseDuration \(file:.*\/nightshift\/dist\/chunks\/time\.js:\d+:\d+\)/);
  const mapped = await run(process.execPath, ["--enable-source-maps", "stack.js"], { cwd: project });
  const [, line = ""] =
    /at parseDuration \(.*\/nightshift\/src\/time\/duration\.ts:(\d+):\d+\)/.exec(mapped.stdout) ?? [];
  const source = readFileSync(join(root, "src", "time", "duration.ts"), "utf8").split("\n");
  assert.match(source[Number(line) - 1] ?? "", /throw/, mapped.stdout);
});

test("a service in a thread and the dashboard's page find their files in the package", async () => {
  writeFileSync(join(project, "thread.js"), "export function execute() { console.log('in a thread'); }");
  const program = `import { createHost, silentLogger, threaded } from "nightshift";
import { createDashboard } from "nightshift/dashboard";
import { memory } from "nightshift/memory";
const builder = createHost({ logger: silentLogger, stopWhenAllCompleted: true });
builder.addHostedService(threaded(new URL("./thread.js", import.meta.url)), { name: "thread" });
await builder.build().run();
await using dashboard = createDashboard({ store: memory() });
for (const path of ["", "assets/main.js", "assets/app.css"]) {
  const answer = await dashboard.fetch(new Request("http://localhost/" + path), { remoteAddress: "127.0.0.1" });
  console.log(path, answer.status, answer.headers.get("content-type"), (await answer.text()).length > 500);
}`;
  writeFileSync(join(project, "found.js"), program);
  const { stdout } = await run(process.execPath, ["found.js"], { cwd: project });
  assert.equal(
    stdout,
    `in a thread
 200 text/html; charset=utf-8 true
assets/main.js 200 text/javascript; charset=utf-8 true
assets/app.css 200 text/css; charset=utf-8 true
`,
  );
});
