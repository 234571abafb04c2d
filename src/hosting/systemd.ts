/** Tells systemd how the service is: READY=1, STOPPING=1, WATCHDOG=1. Silent where no systemd listens. */
import { messageOf } from "../errors/index.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import type { Clock, Timer } from "../time/index.ts";
import type { Health } from "./health.ts";
import type { HostLifetime } from "./lifetime.ts";

/** Sends lines such as `READY=1` to the service manager. */
export type Notify = (state: string) => Promise<void>;

/**
 * Node has no datagram sockets of the Unix kind, so systemd's own tool carries the message. The unit needs
 * `NotifyAccess=all`, because the tool is another process.
 */
export const systemdNotify: Notify = async (state) => {
  const { execFile } = await import("node:child_process");
  await new Promise<void>((resolve, reject) => {
    execFile("systemd-notify", [`--pid=${process.pid}`, state], (error) =>
      error === null ? resolve() : reject(error),
    );
  });
};

/** What the notifier watches. */
export interface SystemdParts {
  readonly lifetime: HostLifetime;
  readonly health: Health;
  readonly clock: Clock;
  readonly logger: LoggerLike;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly notify?: Notify;
}

/** Connects the lifetime and the health with systemd. Does nothing without `NOTIFY_SOCKET` in the environment. */
export function notifySystemd({ lifetime, health, clock, logger, env, notify = systemdNotify }: SystemdParts): void {
  if (!env["NOTIFY_SOCKET"]) return;
  const send = async (state: string) => {
    try {
      await notify(state);
    } catch (error) {
      logger.warn({ state, reason: messageOf(error) }, "systemd could not be told");
    }
  };
  let timer: Timer | undefined;
  // systemd restarts the service when it hears nothing for this long: half of it leaves room for a late turn of the loop.
  const every = Number(env["WATCHDOG_USEC"] ?? 0) / 1_000 / 2;
  const beat = async () => {
    const report = await health.report("livez");
    if (report.ok) await send("WATCHDOG=1");
    else
      logger.error({ checks: report.checks.filter(({ ok }) => !ok) }, "not alive: the watchdog of systemd is not fed");
    if (!lifetime.stopped.aborted) timer = clock.setTimer(every, () => void beat(), { ref: false });
  };
  lifetime.onStarted(async () => {
    await send("READY=1");
    if (every > 0) await beat();
  });
  lifetime.onStopping(() => send("STOPPING=1"));
  lifetime.onStopped(() => timer?.cancel());
}
