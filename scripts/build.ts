/**
 * Builds dist/ from nothing. Declarations: one a module, by tsc. JavaScript: one file a room of the house and one for
 * the dashboard's page, bundled by rolldown, since whoever loads hundreds of modules pays for each
 * (docs/decisions/063-the-package-is-bundled-by-room.md). Types are checked by `npm run check`.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type InputOptions, type OutputChunk, rolldown } from "rolldown";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const src = join(root, "src");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, string | { "nightshift:source": string }>;
  peerDependencies: Record<string, string>;
};

/** Those that find a file by where they lie themselves, and the files that they find: they stay where they are. */
const KEEP_THEIR_PLACE = [
  "src/cli/main.ts",
  "src/dashboard/server/assets.ts",
  "src/hosting/start-thread.ts",
  "src/hosting/thread-entry.ts",
];
/**
 * From the ground up, as in scripts/check-house.ts: imports go down only, so that no two files of JavaScript import
 * each other. What is not listed is split by who needs it: a store, the page's server.
 */
const ROOMS = [
  ...["errors", "time", "services", "telemetry", "hosting"],
  ...["store/contract", "store/shared", "store/sharded", "jobs", "scheduling"],
];

/** A warning fails the build. How long the bundler took is none. */
const STRICT: InputOptions = {
  checks: { bundlerTimings: false },
  onLog(level, log) {
    if (level === "warn") throw new Error(log.message);
  },
};

rmSync("dist", { recursive: true, force: true });
const tsc = join("node_modules", "typescript", "bin", "tsc");
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" });
await bundleLibrary();
await bundlePage();
for (const file of globSync("src/**/*.{html,css,svg,json,sql}")) {
  cpSync(file, join("dist", file.slice("src/".length)), { recursive: true });
}

async function bundleLibrary(): Promise<void> {
  const entries = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [] : target["nightshift:source"].slice("./".length),
  );
  await using build = await rolldown({
    ...STRICT,
    input: Object.fromEntries([...entries, ...KEEP_THEIR_PLACE].map((file) => [file.slice("src/".length, -3), file])),
    platform: "node",
    // What is read of a peer, its version say, is to be that of the application's.
    external: Object.keys(manifest.peerDependencies).map((name) => new RegExp(`^${name}(/|$)`)),
    transform: { target: "node22.13" },
    // package.json's "sideEffects" speak to bundlers of applications; here, what a module does on import is kept.
    treeshake: { moduleSideEffects: (id) => id.startsWith(src) },
  });
  const { output } = await build.write({
    dir: "dist",
    chunkFileNames: "chunks/[name].js",
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true, // the package has its sources
    comments: { jsdoc: false }, // the declarations have them
    codeSplitting: {
      groups: [
        { name: "helpers", test: /@oxc-project/, priority: ROOMS.length + 1 },
        ...ROOMS.map((room, floor) => ({
          name: room.replace("/", "-"),
          test: (id: string) => isIn(id, room),
          priority: ROOMS.length - floor,
        })),
      ],
    },
  });
  for (const chunk of output) if (chunk.type === "chunk") checkPlaces(chunk);
}

async function bundlePage(): Promise<void> {
  const page = { ...STRICT, input: "src/dashboard/ui/main.ts", transform: { target: "es2023" } };
  await using build = await rolldown({ ...page, platform: "browser" });
  await build.write({ file: "dist/dashboard/ui/main.js", comments: { jsdoc: false } });
}

function isIn(id: string, room: string): boolean {
  return id.startsWith(join(src, room) + sep) && !KEEP_THEIR_PLACE.some((file) => id === join(root, file));
}

/** A module that asks where it lies, and was put elsewhere, would be led astray at run time. */
function checkPlaces(chunk: OutputChunk): void {
  for (const [id, { code }] of Object.entries(chunk.modules)) {
    const place = `${relative(src, id).replaceAll("\\", "/").slice(0, -3)}.js`;
    if (code?.includes("import.meta.") === true && place !== chunk.fileName) {
      throw new Error(`${id} uses import.meta and went to ${chunk.fileName}: list it in KEEP_THEIR_PLACE.`);
    }
  }
}
