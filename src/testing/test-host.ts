/** An application on virtual time, for tests: advance the clock, wait for states, look at what was logged. */
import { NightshiftError, Problems, show } from "../errors/index.ts";
import { Host, type HostOptions, SERVICE_STATES, type ServiceStateName } from "../hosting/index.ts";
import { Clock } from "../services/index.ts";
import { type CapturingLogger, capturingLogger } from "../telemetry/index.ts";
import { type Duration, formatDuration, parseDuration, systemClock, VirtualClock } from "../time/index.ts";

/** How a test host behaves. */
export interface TestHostOptions {
  /** Where the virtual clock begins. Default 2026-01-01 UTC. */
  readonly start?: Date | string | number;
  /** Real time after which the application is stopped, so that a broken test ends. Default 30 s. */
  readonly timeToLive?: Duration;
  /** The random numbers of the application, from 0 up to 1. Default: always one half. */
  readonly random?: () => number;
}

/** A running application under the hand of a test. */
export interface TestHost<H extends Host = Host> extends AsyncDisposable {
  readonly host: H;
  readonly clock: VirtualClock;
  /** Everything that was logged. */
  readonly logger: CapturingLogger;
  /** Moves time forward, and lets everything happen on the way. */
  advance(by: Duration): Promise<void>;
  /** Resolves as soon as a service is in a state; rejects when it is not within `within` of real time (default 5 s). */
  until(service: string, state: ServiceStateName, options?: { readonly within?: Duration }): Promise<void>;
  /** Waits for a promise that needs time to pass, moving the clock until it settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Stops the application, moving the clock as far as that needs. */
  stop(): Promise<void>;
}

/** Virtual time that one settling may take before it counts as stuck. */
const LONGEST_SETTLING = parseDuration("1h");
const STEP = 100;

/**
 * Starts an application on virtual time. It is stopped and disposed at the end of the block.
 *
 * @param build makes the host from options that must be passed on: clock, logger, no signal handlers
 * @throws what the start throws
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 * import { startTestHost } from "nightshift/testing";
 *
 * const ticks: number[] = [];
 * await using app = await startTestHost((options) => {
 *   const builder = createHost(options);
 *   builder.addTimedService("clean-up", { every: "10m" }, (tick) => void ticks.push(tick.index));
 *   return builder.build();
 * });
 * await app.until("clean-up", "running");
 * await app.advance("1h");
 * console.log(ticks.length); // 6
 * ```
 */
export async function startTestHost<H extends Host>(
  build: (options: HostOptions) => H,
  options: TestHostOptions = {},
): Promise<TestHost<H>> {
  const problems = new Problems();
  problems.unknownOptions("startTestHost()", options, ["start", "timeToLive", "random"]);
  problems.throwIfAny("startTestHost()");
  const timeToLive = parseDuration(options.timeToLive ?? "30s", "timeToLive");
  const clock = new VirtualClock(options.start === undefined ? {} : { start: options.start });
  const logger = capturingLogger();
  const random = options.random ?? (() => 0.5);
  const host = build({ clock, logger, random, signals: false, configuration: false });
  refuseOther(host, clock);
  let expired: NightshiftError | undefined;
  const guard = systemClock.setTimer(timeToLive, () => {
    expired = new NightshiftError("NS_TIMEOUT", `The test host lived longer than ${formatDuration(timeToLive)}.`);
    host.lifetime.stopApplication(expired.message);
    // The test may wait for something that never comes: what still runs must not keep its process.
    settleOn(clock, host.stop(), () => undefined).catch(() => undefined);
  });
  let told = false;
  const alive = () => {
    if (expired === undefined || told) return;
    told = true;
    throw expired;
  };
  const app: TestHost<H> = {
    host,
    clock,
    logger,
    async advance(by) {
      alive();
      await clock.advance(by);
      alive();
    },
    until: (service, state, { within = "5s" } = {}) =>
      untilState(host, service, state, parseDuration(within, "within")),
    settle: (promise) => settleOn(clock, promise, alive),
    stop: () => app.settle(host.stop()),
    async [Symbol.asyncDispose]() {
      guard.cancel();
      const { state } = host.snapshot();
      try {
        if (state === "running" || state === "starting" || state === "stopping") await app.stop();
      } finally {
        await host[Symbol.asyncDispose]();
      }
      alive();
    },
  };
  try {
    await app.settle(host.start());
  } catch (error) {
    guard.cancel();
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return app;
}

/** Moves the clock until the promise settles. */
async function settleOn<T>(clock: VirtualClock, promise: Promise<T>, check: () => void): Promise<T> {
  let settled = false;
  const done = promise.finally(() => (settled = true));
  // Whoever awaits `done` below gets its error; while the clock moves, nobody does.
  done.catch(() => undefined);
  await clock.advance(0);
  for (let passed = 0; !settled; passed += STEP) {
    check();
    if (passed > LONGEST_SETTLING) {
      throw new NightshiftError("NS_TIMEOUT", "The promise did not settle within an hour of virtual time.");
    }
    await clock.advance(STEP);
  }
  return done;
}

/** A host on the machine's clock would wait in earnest, and nothing would move it. */
function refuseOther(host: Host, clock: VirtualClock): void {
  const what = "startTestHost() takes a function that gives a host";
  if (!(host instanceof Host)) {
    throw new NightshiftError("NS_OPTION_INVALID", `${what}; it gave ${show(host)}. Give back builder.build().`);
  }
  if (host.services.get(Clock) === clock) return;
  const advice = "Pass on the options that it is given: createHost(options), or createHost({ ...yours, ...options }).";
  throw new NightshiftError("NS_OPTION_INVALID", `${what} on the virtual clock; this one has another clock. ${advice}`);
}

function untilState(host: Host, service: string, state: ServiceStateName, within: number): Promise<void> {
  if (!SERVICE_STATES.includes(state)) {
    const message = `There is no state ${show(state)}. Give one of ${SERVICE_STATES.join(", ")}.`;
    return Promise.reject(new NightshiftError("NS_OPTION_INVALID", message));
  }
  const find = () => host.snapshot().services.find(({ name }) => name === service);
  return new Promise((resolve, reject) => {
    const found = find();
    if (found === undefined) {
      const names = host.snapshot().services.map(({ name }) => name);
      const message = `There is no service "${service}"; there are ${names.join(", ") || "none"}.`;
      return reject(new NightshiftError("NS_OPTION_INVALID", message));
    }
    if (found.state === state) return resolve();
    const end = (then: () => void) => {
      timer.cancel();
      listening[Symbol.dispose]();
      then();
    };
    const timer = systemClock.setTimer(within, () => {
      const message = `The service ${service} was not ${state} within ${formatDuration(within)}; it is ${find()?.state}.`;
      end(() => reject(new NightshiftError("NS_TIMEOUT", message)));
    });
    const listening = host.events.on("service", (event) => {
      if (event.service === service && event.to === state) end(resolve);
    });
  });
}
