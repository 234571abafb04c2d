/**
 * Installs what is missing, for any Node that npm itself runs on: `npm start` and `npm test` call it first.
 * Not TypeScript, on purpose: it runs before the Node that development uses is there.
 */
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");

const root = path.join(__dirname, "..");
const lock = path.join(root, "package-lock.json");
// npm writes this file at the end of an install, so its time tells which lockfile the folder belongs to.
const installed = path.join(root, "node_modules", ".package-lock.json");

function time(file) {
  try {
    return fs.statSync(file).mtimeMs;
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
}

if (time(installed) === 0 || time(installed) < time(lock)) {
  console.log("Installing dependencies (node_modules is missing or older than package-lock.json) ...");
  // The npm that runs this script, not whichever is first on the PATH.
  const npm = process.env.npm_execpath;
  const command = ["ci", "--no-audit", "--no-fund"];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...command], { cwd: root, stdio: "inherit" })
    : spawnSync("npm", command, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status === null ? 1 : result.status);
}
