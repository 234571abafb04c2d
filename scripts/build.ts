/** Builds dist/ from nothing: tsc for code and declarations, and the files that tsc does not carry over. */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
rmSync("dist", { recursive: true, force: true });
const tsc = join("node_modules", "typescript", "bin", "tsc");
const emit = ["--noEmit", "false", "--allowImportingTsExtensions", "false"];
// The dashboard's page is compiled apart: it alone may see the DOM.
for (const project of [["tsconfig.build.json"], ["tsconfig.ui.json", ...emit]]) {
  execFileSync(process.execPath, [tsc, "-p", ...project], { stdio: "inherit" });
}
for (const file of globSync("src/**/*.{html,css,svg,json,sql}")) {
  cpSync(file, join("dist", file.slice("src/".length)), { recursive: true });
}
