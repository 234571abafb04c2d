/** The same services in a host of this library. */
import { createHost, silentLogger } from "../../../src/index.ts";

export const name = "Nightshift";

export async function make(services) {
  const builder = createHost({
    signals: false,
    configuration: false,
    logger: silentLogger,
    shutdownTimeout: services.length > 100 ? "25s" : 500,
  });
  for (const service of services) builder.addHostedService(service, { name: service.name });
  const host = builder.build();
  return { start: () => host.start(), stop: () => host.stop() };
}
