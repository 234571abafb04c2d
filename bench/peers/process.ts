/** A system in a process of its own, as the driver sees it. */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Answer, Questions, Request } from "./child.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BUILT = `${HERE}built`;
const CHILD = `${BUILT}/bench/peers/child.js`;
const START_PATIENCE = 20_000;
const PATIENCE = 180_000;
const CLOSE_PATIENCE = 6_000;

/**
 * JavaScript, as every user's process loads it: reading TypeScript alone takes Node 30 MiB. Nightshift is the built
 * package, found by its name beside the child as the peers are by theirs.
 */
export function buildChild(): void {
  rmSync(BUILT, { recursive: true, force: true });
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: ROOT, stdio: "inherit" });
  const flags = ["--noEmit", "false", "--rootDir", ROOT, "--outDir", BUILT];
  execFileSync("tsc", ["-p", HERE, ...flags], { stdio: "inherit" });
  rmSync(`${BUILT}/src`, { recursive: true }); // where their types led: nothing may run from there
  mkdirSync(`${BUILT}/node_modules`);
  symlinkSync(ROOT, `${BUILT}/node_modules/nightshift`, "junction");
}

export class SystemProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  static async start(key: string, place: string): Promise<SystemProcess> {
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    const child = fork(CHILD, [key, place], { stdio: [...stdio], execArgv: ["--no-warnings"] });
    const started = new SystemProcess(child);
    try {
      await started.#answer(START_PATIENCE);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return started;
  }

  /** One question at a time. */
  async ask<Op extends keyof Questions>(op: Op, ask: Parameters<Questions[Op]>[0]): Promise<ReturnType<Questions[Op]>> {
    const answer = this.#answer(PATIENCE);
    this.#send({ op, ...ask } as Request);
    return (await answer) as ReturnType<Questions[Op]>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#send({ op: "close" });
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_PATIENCE);
    await this.#exited;
    clearTimeout(impatient);
  }

  /** To one that is gone nothing can be said; whoever waits for its answer is told so by its end. */
  #send(request: Request): void {
    if (this.#child.connected) this.#child.send(request, () => undefined);
  }

  #answer(patience: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.#child.off("message", heard);
        this.#child.off("exit", gone);
        settle();
      };
      const heard = (answer: Answer) =>
        done(() => ("value" in answer ? resolve(answer.value) : reject(new Error(answer.error))));
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error("The process has ended."));
        return;
      }
      const gone = (code: number | null) => done(() => reject(new Error(`The process ended with ${code}.`)));
      const timer = setTimeout(() => done(() => reject(new Error("No answer in time."))), patience);
      this.#child.on("message", heard);
      this.#child.on("exit", gone);
    });
  }
}
