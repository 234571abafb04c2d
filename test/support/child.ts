/** Real child processes: started, listened to, and certainly ended. */
import { type ChildProcess, spawn } from "node:child_process";

/** A running child whose output can be waited for. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** Resolves when the output matches; rejects after `within` milliseconds, or when the child ends without it. */
  until(pattern: RegExp, within?: number): Promise<RegExpExecArray>;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Where a child runs; what `env` says is added to this process's environment. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a program of this very Node. It is killed when disposed, whatever happened. */
export function startNode(args: readonly string[], options: ChildOptions = {}): Child {
  return startProgram(process.execPath, args, options);
}

/** Starts a program. It is killed when disposed, whatever happened. */
export function startProgram(program: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, NODE_NO_WARNINGS: "1", NODE_TEST_CONTEXT: undefined, ...options.env },
  });
  let output = "";
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      changed();
    });
  }
  let over = false;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (code, signal) => {
      over = true;
      resolve({ code, signal });
      changed();
    });
  });
  return {
    process: child,
    output: () => output,
    ended,
    until: (pattern, within = 30_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${why} before ${pattern} was printed. It printed:\n${output}`));
        const timer = setTimeout(() => finish(() => fail(`${within} ms went by`)), within);
        const finish = (then: () => void) => {
          clearTimeout(timer);
          listeners.delete(look);
          then();
        };
        const look = () => {
          const match = pattern.exec(output);
          if (match) finish(() => resolve(match));
          else if (over) finish(() => fail("The child ended"));
        };
        listeners.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      if (!over) child.kill("SIGKILL");
      await ended;
    },
  };
}
