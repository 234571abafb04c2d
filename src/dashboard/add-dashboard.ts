/** The dashboard as a part of a host: {@link Dashboard} in the container, and a hosted service that listens if it is to. */
import { NightshiftError } from "../errors/index.ts";
import type { HostBuilder, HostedService, HostSnapshot } from "../hosting/index.ts";
import { type JobRegistry, JobStore } from "../jobs/index.ts";
import { Schedules } from "../scheduling/index.ts";
import { Clock, optional, type Resolver } from "../services/index.ts";
import { Logger, type LoggerLike } from "../telemetry/index.ts";
import { createDashboard, Dashboard } from "./dashboard.ts";
import { viewServices } from "./host-services.ts";
import { type AddDashboardOptions, checkAddDashboard, mountOf } from "./options.ts";
import { scheduleDesk } from "./schedule-desk.ts";
import type { Listener } from "./server/listener.ts";

/** What the builder knows of itself. */
export interface DashboardSurroundings {
  /** The application's name. */
  readonly name: string;
  /** How the host is; nothing before it was built. */
  readonly snapshot: () => HostSnapshot | undefined;
  /** The jobs that it knows, once `addJobs()` was called. */
  readonly registry: () => JobRegistry | undefined;
}

/** Adds a dashboard to an application, which must have jobs. Mistakes in its options are told at `build()`. */
export function addDashboardTo(
  builder: HostBuilder,
  options: AddDashboardOptions,
  { name, snapshot, registry }: DashboardSurroundings,
): void {
  builder.onBuild(({ problems }) => checkAddDashboard(options, problems));
  const { port, host, logger: own, ...look } = options;
  builder.services.singleton(
    Dashboard,
    // That there are no jobs is told once for all that need them, and not by the container again.
    [optional(JobStore), optional(Schedules), Clock, Logger],
    (store, schedules, clock, logger) => {
      if (store === undefined) throw new NightshiftError("NS_HOST_STATE", "A dashboard needs jobs. Call addJobs().");
      return createDashboard({
        title: name,
        ...look,
        store,
        clock,
        logger: (own ?? logger).child({ name: "dashboard" }),
        services: () => {
          const now = snapshot();
          return now === undefined ? [] : viewServices(now, clock.now());
        },
        ...(schedules === undefined ? {} : { schedules: scheduleDesk(schedules, registry()) }),
      });
    },
  );
  builder.addHostedService(
    (resolver: Resolver): HostedService => {
      const dashboard = resolver.get(Dashboard);
      if (port === undefined) return mountedService(dashboard);
      const logger = (own ?? resolver.get(Logger)).child({ name: "dashboard" });
      const place = { port, host: host ?? "127.0.0.1", path: mountOf(look.path) };
      return new ListeningService(dashboard, { ...place, forAll: look.authorize !== undefined }, logger);
    },
    { name: "dashboard" },
  );
}

/** Somebody else's server waits for open answers when it stops, so live streams end before any service is stopped. */
function mountedService(dashboard: Dashboard): HostedService {
  return { start: () => undefined, stopping: () => dashboard.close(), stop: () => undefined };
}

interface Place {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** It decides by itself who may use it, and not by where a request comes from. */
  readonly forAll: boolean;
}

/** A listener of the dashboard's own. Its code is loaded here and not before. */
class ListeningService implements HostedService {
  readonly #dashboard: Dashboard;
  readonly #place: Place;
  readonly #logger: LoggerLike;
  #listener: Listener | undefined;

  constructor(dashboard: Dashboard, place: Place, logger: LoggerLike) {
    this.#dashboard = dashboard;
    this.#place = place;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    const { port, host, path, forAll } = this.#place;
    const [{ listen }, { isLoopback }] = await Promise.all([
      import("./server/listener.ts"),
      import("./server/access.ts"),
    ]);
    try {
      this.#listener = await listen(this.#dashboard.fetch, port, host, this.#logger);
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code ?? error);
      const advice = code === "EADDRINUSE" ? "Something listens there already: stop it, or choose another port." : "";
      const message = `The dashboard cannot listen on ${host} port ${port} (${code}). ${advice}`.trimEnd();
      throw new NightshiftError("NS_DASHBOARD_LISTEN", message, { cause: error, details: { host, port } });
    }
    const { address, family, port: real } = this.#listener.address;
    const url = `http://${family === "IPv6" ? `[${address}]` : address}:${real}${path}`;
    this.#logger.info({ url }, `The dashboard is at ${url}`);
    if (forAll || isLoopback(address)) return;
    const message = `The dashboard listens on ${address}, but answers other machines with 403: say who may use it, addDashboard({ authorize }).`;
    this.#logger.warn({ url }, message);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#dashboard.close();
    await this.#listener?.close(signal);
  }
}
