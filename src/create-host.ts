/** The way in: a builder with everything that an application may want to add. */
import { HostBuilder, type HostOptions } from "./hosting/index.ts";

/**
 * Begins an application.
 *
 * @throws nothing yet: what is wrong with the options is told by `build()`, together with everything else
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 *
 * const builder = createHost({ name: "shop", shutdownTimeout: "20s" });
 * await using host = builder.build();
 * ```
 */
export function createHost(options: HostOptions = {}): HostBuilder {
  return new HostBuilder(options);
}
