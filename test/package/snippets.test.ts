import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, snippets } from "../support/snippets.ts";

test("every TypeScript example in the documentation comments, the README and the guides compiles", () => {
  const found = snippets(["src/**/*.ts", "README.md", "docs/guides/*.md"]).filter(({ language }) => language === "ts");
  assert.ok(found.length > 0);
  // Inside the repository, so that `import ... from "nightshift"` resolves as it does for the examples.
  const folder = join(root, ".cache", "snippets");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { file, line, code } of found) {
    const name = `${file.replaceAll(/[^\w]/g, "_")}_${line}.ts`;
    writeFileSync(join(folder, name), `// ${file}:${line}\n${code}\nexport {};\n`);
  }
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, rootDir: "../.." },
    include: ["*.ts"],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8", cwd: root });
  assert.equal(status, 0, `${found.length} examples compiled with errors:\n${stdout}`);
});
