/** From what was declared to the parts of a host: decides every option, checks everything, and throws one error for all of it. */
import type { Problems } from "../errors/index.ts";
import { Clock, type Services } from "../services/index.ts";
import { consoleLogger, Logger, type LoggerLike } from "../telemetry/index.ts";
import { systemClock } from "../time/index.ts";
import { Configuration, readConfiguration } from "./configuration.ts";
import { afterElector, type Declared, orderOf } from "./declared.ts";
import { Health } from "./health.ts";
import type { HostParts } from "./host-parts.ts";
import { Late } from "./late.ts";
import { HostLifetime } from "./lifetime.ts";
import { type HostOptions, readHostOptions } from "./options.ts";
import { type GroupStrategy, readGroup, type ServiceGroupOptions } from "./service-group.ts";
import { specOf } from "./specs.ts";
import { notifySystemd } from "./systemd.ts";
import { HostView } from "./view.ts";

/** What a builder was told. */
export interface Told extends Pick<HostParts, "checks" | "health"> {
  readonly options: HostOptions;
  readonly services: Services;
  readonly declared: readonly Declared[];
  readonly groups: ReadonlyMap<string, GroupStrategy | ServiceGroupOptions>;
  /** The service that must run for leaders to be elected. */
  readonly electorRuns: string | undefined;
  readonly systemd: boolean;
  /** Found so far. */
  readonly problems: Problems;
}

/** @throws NS_BUILD_INVALID, listing everything that is wrong; a single problem is thrown as it is */
export function assembleHost(told: Told): HostParts {
  const { services, declared, health, checks, problems } = told;
  const { host: configured, configuration } = readConfiguration(told.options.configuration ?? {}, problems);
  // What code leaves undefined is not set: operators may set it.
  const set = Object.fromEntries(Object.entries(told.options).filter(([, value]) => value !== undefined));
  const given: HostOptions = { ...configured, ...set };
  const options = readHostOptions(given, problems);
  const clock = given.clock ?? systemClock;
  const logger = given.logger ?? consoleLogger({ clock, level: given.logLevel ?? "info" });
  services.value(Configuration, configuration);
  const own = registerOwn(services, clock, logger, problems);
  const { onServiceFailure, random } = options;
  const fallback = onServiceFailure === "ignore" ? "give-up" : "stop-host";
  const groups = new Map(
    [...told.groups].map(([name, group]) => [name, readGroup(name, group, fallback, problems)] as const),
  );
  const around = { declared, services, groups, onServiceFailure, random, problems };
  const specs = declared.map((each) => specOf(each, around));
  services.validate(problems);
  const concurrent = options.startConcurrently || options.stopConcurrently;
  const levels = orderOf(afterElector(declared, told.electorRuns), services, concurrent, problems);
  problems.throwIfAny(`The application "${options.name}"`);
  const attach: HostParts["attach"] = (host, lifetime, ofHost) => {
    own.view.connect(host);
    own.lifetime.connect(lifetime);
    own.health.connect(ofHost);
    if (told.systemd) notifySystemd({ lifetime, health: ofHost, clock, logger, env: process.env });
  };
  return { health, options, clock, logger, container: services.build(), specs, levels, checks, groups, attach };
}

/** What every application can inject. The host comes later, and is given out, not owned: the container is disposed by the host. */
function registerOwn(services: Services, clock: Clock, logger: LoggerLike, problems: Problems) {
  const lifetime = new Late<HostLifetime>("HostLifetime");
  const view = new Late<HostView>("HostView");
  const health = new Late<Health>("Health");
  services.named(HostView, () => view.get());
  services.named(Health, () => health.get());
  services.value(Clock, clock);
  services.named(Logger, (requester) => (requester === undefined ? logger : logger.child({ name: requester })));
  if (services.has(HostLifetime)) {
    const what = "HostLifetime is the host's own and cannot be registered.";
    problems.add("NS_SERVICE_INVALID", `${what} Inject it; stop the application with its stopApplication().`);
  } else services.named(HostLifetime, () => lifetime.get());
  return { lifetime, view, health };
}
