/** The types of the benchmark beside the peers, where the peers are installed: they never are by `npm install`. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

if (existsSync("bench/peers/node_modules")) {
  const { status, error } = spawnSync("tsc", ["--noEmit", "-p", "bench/peers"], { stdio: "inherit" });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}
