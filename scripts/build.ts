/** Builds dist/ from nothing: tsc for code and declarations, and the files that tsc does not carry over. */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
for (const file of globSync("src/**/*.{html,css,svg,json,sql}")) {
  cpSync(file, join("dist", file.slice("src/".length)), { recursive: true });
}
