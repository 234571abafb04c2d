/** Runs npm as a user would, from a test: the npm that runs the tests, else the first on the PATH. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs `npm ...` in a folder; rejects with what it printed when it fails. */
export async function npm(folder: string, ...args: string[]): Promise<string> {
  const executable = process.env["npm_execpath"];
  const options = { cwd: folder, encoding: "utf8", timeout: 240_000, maxBuffer: 2 ** 26 } as const;
  // The variables that the outer npm sets for its own project would lead the inner one astray.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_|lifecycle_)/.test(name)),
  );
  try {
    const { stdout } = executable
      ? await run(process.execPath, [executable, ...args], { ...options, env })
      : await run("npm", args, { ...options, env });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
