/** A dashboard on a free loopback port, for tests with real sockets and browsers. */
import { type CreateDashboardOptions, createDashboard } from "../../src/dashboard/index.ts";
import { listen } from "../../src/dashboard/server/listener.ts";
import { silentLogger } from "../../src/telemetry/index.ts";

/** Serves until disposed; `url` ends with a slash. */
export async function serveDashboard(
  options: CreateDashboardOptions,
): Promise<AsyncDisposable & { readonly url: string }> {
  const dashboard = createDashboard(options);
  const listener = await listen(dashboard.fetch, 0, "127.0.0.1", options.logger ?? silentLogger);
  const path = options.path ?? "/";
  return {
    url: `http://127.0.0.1:${listener.address.port}${path.endsWith("/") ? path : `${path}/`}`,
    async [Symbol.asyncDispose]() {
      await dashboard.close();
      await listener.close(AbortSignal.timeout(2_000));
    },
  };
}
