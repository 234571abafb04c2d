/** A small application for the tests of signals and exit codes; the first argument says what it does. */
import { BackgroundService, createHost, type HostOptions } from "../../../src/index.ts";

const [what = ""] = process.argv.slice(2);
const options: HostOptions = {
  name: "program",
  configuration: false,
  shutdownTimeout: what.includes("short") ? 300 : "25s",
};

class Waits extends BackgroundService {
  async execute(stopping: AbortSignal) {
    if (what === "exit-124") {
      await new Promise<void>((resolve) => setImmediate(resolve));
      process.exit(124);
    }
    if (what === "exit-125-short") process.exit(125);
    if (what === "fails") throw new Error("the service failed");
    if (what === "listener-throws") {
      stopping.addEventListener("abort", () => {
        throw new Error("a listener threw");
      });
    }
    console.error("ready");
    if (!stopping.aborted) {
      await new Promise<void>((resolve) => stopping.addEventListener("abort", () => resolve(), { once: true }));
    }
    if (what.includes("hangs")) await new Promise<void>(() => undefined);
  }
}

const builder = createHost({ ...options, lifetimeMessages: what !== "callbacks-run" && what !== "callbacks-wait" });
builder.addHostedService(Waits);
if (what === "systemd") builder.useSystemd();
if (what === "start-fails") {
  const connectsToTheBroker = () => {
    throw new Error("no broker url");
  };
  builder.addHostedService(() => ({ start: connectsToTheBroker, stop: () => undefined }), { name: "broker" });
}
const host = builder.build();
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
if (what.startsWith("callbacks")) {
  host.lifetime.onStopping(async () => {
    console.log("Stopping firing");
    await pause();
    console.log("Stopping end");
  });
  host.lifetime.onStopped(async () => {
    console.log("Stopped firing");
    await pause();
    console.log("Stopped end");
  });
}
if (what === "uncaught" || what === "start-only-uncaught")
  host.lifetime.onStarted(() => void setImmediate(() => raise("nobody caught this")));
if (what === "unhandled") host.lifetime.onStarted(() => void Promise.reject(new Error("nobody handled this")));

if (what.startsWith("start-only")) {
  await host.start();
} else if (what === "callbacks-wait") {
  await host.start();
  await host.waitForShutdown();
  await host[Symbol.asyncDispose]();
} else if (what === "uncaught-kept") {
  host.lifetime.onStarted(() => void setImmediate(() => raise("nobody caught this")));
  await host.run().catch(() => console.log("caught by the caller"));
} else await host.run();

if (what === "exit-123") {
  console.log("after run");
  process.exitCode = 123;
}

function raise(message: string): never {
  throw new Error(message);
}
