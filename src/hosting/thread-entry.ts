/** What runs in the thread of a threaded service: loads the module, runs its `execute`, passes messages. */
import { parentPort, workerData } from "node:worker_threads";
import { NightshiftError } from "../errors/index.ts";

/** From the host to the thread. */
export type ToThread = "stop";
/** From the thread to the host. */
export type FromThread =
  | { readonly kind: "loaded" }
  | { readonly kind: "beat"; readonly doing: string | undefined }
  | { readonly kind: "done" };

interface Module {
  readonly execute?: (
    stopping: AbortSignal,
    context: { name: string; data: unknown; beat(doing?: string): void },
  ) => Promise<void> | void;
}

const port = parentPort;
if (port === null) throw new NightshiftError("NS_SERVICE_FAILED", "thread-entry is run by threaded() only.");
const { module: href, name, data } = workerData as { module: string; name: string; data: unknown };
const tell = (message: FromThread) => port.postMessage(message);
const stopping = new AbortController();
port.on("message", (message: ToThread) => {
  if (message === "stop") stopping.abort(new NightshiftError("NS_ABORTED", "The service is being stopped."));
});

const loaded = (await import(href)) as Module;
if (typeof loaded.execute !== "function") {
  throw new NightshiftError("NS_OPTION_INVALID", `${href} exports no function called execute.`);
}
tell({ kind: "loaded" });
try {
  await loaded.execute(stopping.signal, { name, data, beat: (doing) => tell({ kind: "beat", doing }) });
} catch (error) {
  if (!stopping.signal.aborted || error !== stopping.signal.reason) throw error;
}
tell({ kind: "done" });
port.close();
