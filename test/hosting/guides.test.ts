/** The programs of the guides about hosting are run, not only compiled: those marked `run` must end well. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startNode } from "../support/child.ts";
import { root, snippets } from "../support/snippets.ts";

const GUIDES = ["hosted-services", "shutting-down-well", "coming-from-dotnet"];

for (const guide of GUIDES) {
  test(`the programs of the guide ${guide} run and end with code 0`, async () => {
    const programs = snippets([`docs/guides/${guide}.md`]).filter(
      ({ language, info }) => language === "ts" && /^run\b/.test(info),
    );
    assert.ok(programs.length > 0);
    // Inside the repository, so that `import ... from "nightshift"` finds the sources.
    const folder = join(root, ".cache", "guides", guide);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const { line, info, code } of programs) {
      const file = join(folder, `line-${line}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      await using child = startNode(["--conditions=nightshift:source", file], { cwd: folder });
      if (info.includes("until-signal")) {
        await child.until(/: started /);
        child.process.kill("SIGTERM");
      }
      const stuck = setTimeout(() => child.process.kill("SIGKILL"), 30_000);
      const { code: exit } = await child.ended;
      clearTimeout(stuck);
      assert.equal(exit, 0, `${guide}.md:${line} printed:\n${child.output()}`);
    }
  });
}
