/** A system in a process of its own, as the driver sees it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Questions, Request } from "./child.ts";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
const START_PATIENCE = 20_000;
const PATIENCE = 180_000;
const CLOSE_PATIENCE = 6_000;

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
    this.#child.send({ op, ...ask } as Request);
    return (await answer) as ReturnType<Questions[Op]>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.send({ op: "close" } satisfies Request);
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_PATIENCE);
    await this.#exited;
    clearTimeout(impatient);
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
      const gone = (code: number | null) => done(() => reject(new Error(`The process ended with ${code}.`)));
      const timer = setTimeout(() => done(() => reject(new Error("No answer in time."))), patience);
      this.#child.on("message", heard);
      this.#child.on("exit", gone);
    });
  }
}
