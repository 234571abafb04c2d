/** What the tests of the host share: quiet hosts, services that note what is called, promises that wait to be opened. */
import { HostBuilder, type HostedService, type HostOptions } from "../../src/hosting/index.ts";
import { type CapturingLogger, capturingLogger } from "../../src/telemetry/index.ts";

/** A builder without signal handlers, and with a logger to look at. */
export function quiet(options: HostOptions = {}): { builder: HostBuilder; logger: CapturingLogger } {
  const logger = capturingLogger();
  return { builder: new HostBuilder({ signals: false, configuration: false, logger, ...options }), logger };
}

/** The phases of a service. */
export const PHASES = ["starting", "start", "started", "stopping", "stop", "stopped"] as const;
export type Phase = (typeof PHASES)[number];

/** A service that notes `name.phase` for each call, and does what `does` says. */
export function noting(
  name: string,
  log: string[],
  does: Partial<Record<Phase, (signal: AbortSignal) => Promise<void> | void>> = {},
): HostedService {
  const phase = (which: Phase) => (signal: AbortSignal) => {
    log.push(`${name}.${which}`);
    return does[which]?.(signal);
  };
  return {
    starting: phase("starting"),
    start: phase("start"),
    started: phase("started"),
    stopping: phase("stopping"),
    stop: phase("stop"),
    stopped: phase("stopped"),
  };
}

/** A service with nothing but a start and a stop that note themselves. */
export function plain(
  name: string,
  log: string[],
  does: Partial<Record<"start" | "stop", (signal: AbortSignal) => Promise<void> | void>> = {},
): HostedService {
  return {
    start(signal) {
      log.push(`${name}.start`);
      return does.start?.(signal);
    },
    stop(signal) {
      log.push(`${name}.stop`);
      return does.stop?.(signal);
    },
  };
}

/** A class whose services note their start, their stop and their disposal. */
export function disposable(log: string[]) {
  return class Service implements HostedService, Disposable {
    start() {
      log.push("start");
    }
    stop() {
      log.push("stop");
    }
    [Symbol.dispose]() {
      log.push("dispose");
    }
  };
}

/** Rejects with the signal's reason once it is aborted: a service that honours its signal. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Lets everything that is ready to run do so. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** How a promise ended, without throwing. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
