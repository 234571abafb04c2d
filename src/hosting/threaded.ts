/** A service in a thread of its own: for loops that compute, which would hold up everything else. */
import type { Worker } from "node:worker_threads";
import { NightshiftError } from "../errors/index.ts";
import type { HostedService, ServiceContext } from "./hosted-service.ts";
import type { FromThread, ToThread } from "./thread-entry.ts";

/** How the thread is made. */
export interface ThreadedOptions {
  /** Given to `execute` as `context.data`; must be cloneable. */
  readonly data?: unknown;
  /** The largest heap of the thread, in megabytes. Default: Node's. */
  readonly maxHeapMegabytes?: number;
}

/** What `execute` of a threaded module is given. */
export interface ThreadContext {
  readonly name: string;
  readonly data: unknown;
  /** Says "I am alive" to the host. */
  beat(doing?: string): void;
}

/**
 * A service whose `execute(stopping, context)` is exported by a module and runs in a worker thread. A loop that never
 * gives way should look at `stopping.aborted` after awaiting now and then; one that does not is ended with its thread
 * when the time for stopping is over.
 *
 * @example
 * ```ts
 * import { createHost, threaded } from "nightshift";
 *
 * const builder = createHost();
 * const service = threaded(new URL("./primes.ts", import.meta.url), { data: { upTo: 1_000_000 } });
 * builder.addHostedService(service, { name: "primes", restart: "on-failure" });
 * ```
 */
export function threaded(module: URL, options: ThreadedOptions = {}): HostedService {
  return new ThreadedService(module, options);
}

class ThreadedService implements HostedService, AsyncDisposable {
  readonly #module: URL;
  readonly #options: ThreadedOptions;
  #worker: Worker | undefined;
  #execution: Promise<void> | undefined;
  /** The time for stopping was over, and the thread was ended by force. */
  #ended = false;

  constructor(module: URL, options: ThreadedOptions) {
    this.#module = module;
    this.#options = options;
  }

  get execution(): Promise<void> | undefined {
    return this.#execution;
  }

  async start(signal: AbortSignal, context: ServiceContext): Promise<void> {
    const { startThread } = await import("./start-thread.ts");
    signal.throwIfAborted();
    const { data, maxHeapMegabytes } = this.#options;
    const worker = startThread({
      name: context.name,
      workerData: { module: this.#module.href, name: context.name, data },
      ...(maxHeapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes } }),
    });
    this.#worker = worker;
    this.#ended = false;
    const loaded = Promise.withResolvers<void>();
    const execution = new Promise<void>((resolve, reject) => {
      worker.on("message", (message: FromThread) => {
        if (message.kind === "loaded") loaded.resolve();
        else if (message.kind === "beat") context.beat(message.doing);
        else resolve();
      });
      worker.once("error", (error) => {
        loaded.reject(error);
        reject(error);
      });
      worker.once("exit", (code) => {
        const ended = this.#ended
          ? new NightshiftError("NS_SERVICE_ABANDONED", `${context.name} did not stop in time; its thread was ended.`)
          : new NightshiftError("NS_SERVICE_FAILED", `The thread of ${context.name} exited with code ${code}.`);
        loaded.reject(ended);
        if (code === 0) resolve();
        else reject(ended);
      });
    });
    this.#execution = execution;
    // The host watches the execution once the start has succeeded; before that, the start carries the error.
    execution.catch(() => undefined);
    await loaded.promise;
  }

  async stop(signal: AbortSignal): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.postMessage("stop" satisfies ToThread);
    const onAbort = () => {
      this.#ended = true;
      void worker.terminate();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    try {
      // Its error is told by the host's watch over the execution, once.
      await this.#execution?.catch(() => undefined);
    } finally {
      signal.removeEventListener("abort", onAbort);
      await worker.terminate();
      this.#worker = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }
}
