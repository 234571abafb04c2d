/** From a hosted service as it was declared to what the supervisor needs: options decided, and where the instance comes from. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { didYouMean, type Problems } from "../errors/index.ts";
import { type Class, Clock, type Key, Resolver, type Services, token } from "../services/index.ts";
import { type AnyService, type Declared, isClass } from "./declared.ts";
import { LeaderElector, LeaderOnlyService, type LeaderParts } from "./leader.ts";
import { type OnServiceFailure, readServiceOptions } from "./options.ts";
import type { UnitSpec } from "./unit-parts.ts";

/** What the builder knows besides. */
export interface SpecSurroundings {
  readonly declared: readonly Declared[];
  readonly services: Services;
  readonly groups: ReadonlyMap<string, unknown>;
  readonly onServiceFailure: OnServiceFailure;
  readonly random: () => number;
  readonly problems: Problems;
}

/** Checks a declaration and decides it. Registers the service, so that the graph can be checked with it. */
export function specOf(declared: Declared, around: SpecSurroundings): UnitSpec {
  const { name, service, options } = declared;
  const { services, groups, onServiceFailure, problems, random } = around;
  const decided = readServiceOptions(options, `The service ${name}`, onServiceFailure, problems, declared.own);
  const { leader, group, ...rest } = decided;
  if (typeof group === "string" && !groups.has(group)) {
    const message = `The service ${name} is in the group "${group}", which is not declared.`;
    problems.add("NS_OPTION_INVALID", `${message}${didYouMean(group, groups.keys())}`);
  }
  if (leader !== undefined && !services.has(LeaderElector)) {
    const advice = "Add jobs with a store, or register a LeaderElector with builder.services.";
    problems.add("NS_OPTION_INVALID", `The service ${name} is leaderOnly, but nothing elects leaders. ${advice}`);
  }
  const made = creatorOf(declared, around);
  const led = leader === undefined ? undefined : { ...leader, startTimeout: decided.startTimeout, random };
  const create = led === undefined ? made : (resolver: Resolver) => leaderOnly(made(resolver), name, led, resolver);
  const own = typeof service === "function" && !isClass(service);
  return { name, ...rest, group, create, own, key: isClass(service) ? (service as Key) : undefined };
}

function creatorOf({ service, options, name }: Declared, { declared, services }: SpecSurroundings) {
  if (!isClass(service)) return typeof service === "function" ? madeBy(service, name, services) : () => service;
  const another = declared.some((other) => other.service === service && other.options.name !== options.name);
  if (!services.has(service)) {
    const register = another ? services.transient : services.singleton;
    (register as (implementation: Class) => unknown)(service);
  }
  return (resolver: Resolver) => resolver.get(service as Class<AnyService>);
}

/** What a function makes is tracked by the scope in which it is made, and disposed with it. */
function madeBy(make: (services: Resolver) => AnyService, name: string, services: Services) {
  const key = token<AnyService>(name);
  services.transient(key, [Resolver], make);
  return (resolver: Resolver) => resolver.get(key);
}

function leaderOnly(
  service: AnyService,
  name: string,
  { role, ...parts }: { readonly role: string | undefined } & Pick<LeaderParts, "ttl" | "startTimeout" | "random">,
  resolver: Resolver,
): LeaderOnlyService {
  const holder = `${hostname()}:${process.pid}:${randomUUID()}`;
  const [elector, clock] = [resolver.get(LeaderElector), resolver.get(Clock)];
  return new LeaderOnlyService(service, name, { elector, clock, role: role ?? name, holder, ...parts });
}
