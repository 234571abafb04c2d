/** The hosted services as they were declared, and the order in which they start. */
import { didYouMean, type Problems, show } from "../errors/index.ts";
import { type Class, isDependency, type Key, nameOf, type Resolver, type Services } from "../services/index.ts";
import type { Executable, HostedService } from "./hosted-service.ts";
import type { ServiceOptions } from "./options.ts";
import { levelsOf, sequenceOf } from "./order.ts";

/** Anything that the host can run. */
export type AnyService = HostedService | Executable;

/** A hosted service as it was declared. */
export interface Declared {
  readonly name: string;
  readonly service: Class<AnyService> | AnyService | ((services: Resolver) => AnyService);
  readonly options: ServiceOptions;
  /** The names of options that its kind of service has beside those of every service. */
  readonly own: readonly string[];
}

/**
 * The levels in which services start: what a service injects, or names in `after`, comes before it. In one level, one
 * after the other as listed, unless the host starts or stops concurrently.
 */
export function orderOf(
  declared: readonly Declared[],
  services: Services,
  concurrent: boolean,
  problems: Problems,
): number[][] {
  refuseSameNames(declared, problems);
  const byService = new Map<unknown, number[]>();
  for (const [index, { service }] of declared.entries()) {
    if (isClass(service)) byService.set(service, [...(byService.get(service) ?? []), index]);
  }
  const items = declared.map((each, index) => ({
    name: each.name,
    after: [...new Set([...injected(each, byService, services), ...named(each, declared, problems)])].filter(
      (at) => at !== index,
    ),
  }));
  const ordered = levelsOf(items);
  if ("levels" in ordered) return concurrent ? ordered.levels : [sequenceOf(items)];
  const advice = "Take one of the `after` options, or one of the injected services, away.";
  problems.add("NS_SERVICE_CYCLE", `Services wait for each other: ${ordered.circle.join(" -> ")}. ${advice}`);
  return [];
}

/** Leader-only services come after the service that the election needs. */
export function afterElector(declared: readonly Declared[], elector: string | undefined): readonly Declared[] {
  if (elector === undefined) return declared;
  return declared.map((each) => {
    const { leaderOnly = false, after = [] } = each.options;
    return leaderOnly === false ? each : { ...each, options: { ...each.options, after: [...after, elector] } };
  });
}

function injected(
  { service }: Declared,
  byService: ReadonlyMap<unknown, readonly number[]>,
  services: Services,
): readonly number[] {
  if (!isClass(service)) return [];
  return [...services.needs(service as Key)].flatMap((needed) => byService.get(needed) ?? []);
}

function named({ name, options }: Declared, declared: readonly Declared[], problems: Problems): number[] {
  const { after = [] } = options;
  if (!Array.isArray(after)) {
    problems.add("NS_OPTION_INVALID", `The service ${name}'s after is ${show(after)}. Give a list: after: [Database].`);
    return [];
  }
  return (after as NonNullable<ServiceOptions["after"]>).flatMap((wanted) => {
    const found = declared.flatMap((other, index) => {
      return other.service === wanted || other.name === wanted || isInstanceOf(other.service, wanted) ? [index] : [];
    });
    if (found.length === 0) {
      const what = typeof wanted === "string" || !isDependency(wanted) ? show(wanted) : nameOf(wanted);
      const names = declared.map((other) => other.name);
      const near = didYouMean(typeof wanted === "string" ? wanted : "", names);
      const message = `The service ${name} comes after ${what}, which is no hosted service here.${near}`;
      problems.add("NS_OPTION_INVALID", message);
    } else if (found.every((index) => declared[index]?.name === name)) {
      problems.add("NS_OPTION_INVALID", `The service ${name} comes after itself. Name another one.`);
    }
    return found;
  });
}

function refuseSameNames(declared: readonly Declared[], problems: Problems): void {
  const [seen, twice] = [new Set<string>(), new Set<string>()];
  for (const { name } of declared) (seen.has(name) ? twice : seen).add(name);
  for (const name of twice) {
    problems.add(
      "NS_OPTION_INVALID",
      `Two hosted services are called "${name}". Give one another name: { name: "…" }.`,
    );
  }
}

/** Whether the host can make a service of it; what is only known once an instance is made is told at the start. */
export function isService(given: unknown): boolean {
  if (typeof given === "function") return true;
  const { start, execute } = (given ?? {}) as Record<string, unknown>;
  return typeof start === "function" || typeof execute === "function";
}

export function isClass(service: unknown): service is Class<AnyService> {
  return typeof service === "function" && /^class\b/.test(Function.prototype.toString.call(service));
}

function isInstanceOf(service: unknown, wanted: unknown): boolean {
  return typeof wanted === "function" && typeof service === "object" && service instanceof wanted;
}

export function nameOfService(service: Declared["service"]): string {
  if (isClass(service)) return nameOf(service as Key);
  if (typeof service === "function")
    return service.name === "" || service.name === "service" ? "service" : service.name;
  const { name } = service.constructor;
  return name === "Object" ? "service" : name;
}
