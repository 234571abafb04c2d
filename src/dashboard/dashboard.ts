/** The dashboard on its own: a fetch handler over a store, with or without a host. Its code is loaded with the first request. */
import { token } from "../services/index.ts";
import type { Store } from "../store/contract.ts";
import { type LoggerLike, silentLogger } from "../telemetry/index.ts";
import { type Clock, systemClock } from "../time/index.ts";
import type { ServiceRow } from "./api.ts";
import { checkCreateDashboard, type DashboardLook, mountOf } from "./options.ts";
import type { Peer } from "./server/access.ts";
import type { HandlerOptions } from "./server/handler.ts";
import type { ScheduleDesk } from "./server/parts.ts";

/** A dashboard, ready to be mounted in any server that speaks `Request` and `Response`. */
export interface Dashboard extends AsyncDisposable {
  /**
   * Answers a request; never rejects.
   *
   * @param peer the other end of the connection. Without `authorize` only loopback addresses are let in, so a server
   *   that does not pass the address is refused
   */
  fetch(request: Request, peer?: Peer): Promise<Response>;
  /** Ends the live streams and lets go of the store. Requests after that get a 503. */
  close(): Promise<void>;
}

/**
 * The dashboard of a host.
 *
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 * import { Dashboard } from "nightshift/dashboard";
 * import { memory } from "nightshift/memory";
 *
 * const builder = createHost({ name: "shop" });
 * builder.addJobs({ store: memory(), jobs: [] });
 * builder.addDashboard({ path: "/jobs" });
 * const host = builder.build();
 * const answer = await host.services.get(Dashboard).fetch(new Request("http://localhost/jobs/"), { remoteAddress: "::1" });
 * ```
 */
export const Dashboard = token<Dashboard>("Dashboard");

/** Options of {@link createDashboard}. */
export interface CreateDashboardOptions extends DashboardLook {
  /** Where the jobs are. It is opened with the first request, and closed with the dashboard. */
  readonly store: Store;
  /** Told about failed requests and about changes. Default: nobody. */
  readonly logger?: LoggerLike;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** The hosted services of this process. Default: none, and the page says so. */
  readonly services?: () => readonly ServiceRow[];
  /** What knows schedules. Default: nothing; they are listed from the store only. */
  readonly schedules?: ScheduleDesk;
}

/**
 * Makes a dashboard without a host, to be mounted in a server of your own.
 *
 * @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, NS_BUILD_INVALID
 * @example
 * ```ts
 * import { createDashboard } from "nightshift/dashboard";
 * import { sqlite } from "nightshift/sqlite";
 *
 * await using dashboard = createDashboard({ store: sqlite("shop.db"), path: "/jobs" });
 * const response = await dashboard.fetch(new Request("http://localhost/jobs/"), { remoteAddress: "127.0.0.1" });
 * ```
 */
export function createDashboard(options: CreateDashboardOptions): Dashboard {
  checkCreateDashboard(options);
  const { clock = systemClock, logger = silentLogger } = options;
  let opening: Promise<{ handler: HandlerOptions; run: typeof import("./server/handler.ts").handle }> | undefined;
  let closed = false;

  const open = async () => {
    const [{ handle }, { Assets }, { LiveStream }, { hiddenBy, REDACTED_BY_DEFAULT }] = await Promise.all([
      import("./server/handler.ts"),
      import("./server/assets.ts"),
      import("./server/live.ts"),
      import("./server/redact.ts"),
    ]);
    const assets = await Assets.load();
    await options.store.open({ clock, logger });
    const parts = {
      store: options.store,
      clock,
      logger,
      title: options.title ?? "Nightshift",
      isHidden: hiddenBy(options.redact ?? REDACTED_BY_DEFAULT),
      services: options.services ?? null,
      schedules: options.schedules ?? null,
    };
    const live = new LiveStream(parts);
    const { authorize } = options;
    return { handler: { parts, assets, live, mount: mountOf(options.path), authorize }, run: handle };
  };

  const close = async () => {
    if (closed) return;
    closed = true;
    // What was never opened needs no closing, and what could not be opened is not open.
    const opened = await opening?.catch(() => undefined);
    if (opened === undefined) return;
    opened.handler.live.close();
    await options.store.close();
  };

  return {
    async fetch(request, peer = {}) {
      if (closed) return unavailable();
      try {
        const { handler, run } = await (opening ??= open());
        return await run(handler, request, peer);
      } catch (error) {
        // The store could not be opened; the next request tries again.
        opening = undefined;
        logger.error({ err: error }, "The dashboard could not be opened");
        return unavailable();
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function unavailable(): Response {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "2" };
  return new Response("The dashboard is not available now. The log says why.\n", { status: 503, headers });
}
