/** Checks the graph of services before anything is made: every dependency exists, no circles, no scoped service in a singleton. */
import { didYouMean, type Problems } from "../errors/index.ts";
import { isWish, type Key, nameOf } from "./key.ts";
import { edges, type Registration, type Registrations } from "./registration.ts";
import { type ForeignContainer, Resolver, ScopeFactory } from "./resolver.ts";

/** Adds every problem of the graph. All registrations are checked, also those that a later one hides. */
export function validate(
  registrations: Registrations,
  problems: Problems,
  foreign: ForeignContainer | undefined,
): void {
  const every = [...registrations.values()].flat();
  for (const registration of every) {
    findMissing(registration, registrations, problems, foreign);
    if (registration.lifetime === "singleton") findCaptives(registration, registrations, problems);
    if (registration.lifetime !== "singleton" && registration.source.kind === "made" && registration.source.async) {
      const what = `${registration.lifetime} ${quoted(registration)} has an asynchronous factory.`;
      problems.add(
        "NS_SERVICE_INVALID",
        `${what} Only singletons can be asynchronous: make it one, or connect on first use.`,
      );
    }
  }
  findCycles(every, registrations, problems);
}

function findMissing(
  registration: Registration,
  registrations: Registrations,
  problems: Problems,
  foreign: ForeignContainer | undefined,
): void {
  for (const dependency of registration.dependencies) {
    if (isWish(dependency) || registrations.has(dependency) || isOwn(dependency)) continue;
    if (foreign !== undefined && (foreign.has?.(dependency) ?? true)) continue;
    const names = [...registrations.keys()].map(nameOf);
    const near = names.includes(nameOf(dependency))
      ? " Another of that name is: two tokens of one name, or two copies of a package in this process (npm ls)."
      : didYouMean(nameOf(dependency), names);
    problems.add(
      "NS_SERVICE_MISSING",
      `${registration.name} needs ${nameOf(dependency)}, which is not registered.${near}`,
      { service: registration.name, dependency: nameOf(dependency) },
    );
  }
}

/** From a singleton through transients to scoped services. Other singletons on the way answer for themselves. */
function findCaptives(singleton: Registration, registrations: Registrations, problems: Problems): void {
  const seen = new Set<Registration>();
  const visit = (registration: Registration, path: readonly Registration[]): void => {
    for (const next of edges(registrations, registration)) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (next.lifetime === "transient") visit(next, [...path, next]);
      if (next.lifetime !== "scoped") continue;
      const through = path.length === 0 ? "" : ` through ${path.map(quoted).join(", ")}`;
      const advice = "Inject ScopeFactory and make a scope for each unit of work, or change one of the lifetimes.";
      const what = `Cannot consume scoped service ${quoted(next)} from singleton ${quoted(singleton)}${through}.`;
      problems.add("NS_SERVICE_CAPTIVE", `${what} ${advice}`, { scoped: next.name, singleton: singleton.name });
    }
  };
  visit(singleton, []);
}

/** Each circle once, with its whole path. */
function findCycles(every: readonly Registration[], registrations: Registrations, problems: Problems): void {
  const done = new Set<Registration>();
  const path: Registration[] = [];
  const visit = (registration: Registration): void => {
    if (done.has(registration)) return;
    const start = path.indexOf(registration);
    if (start >= 0) {
      const circle = [...path.slice(start), registration].map((each) => each.name);
      const advice = "Break it: inject ScopeFactory or Resolver in one of them and ask later.";
      problems.add("NS_SERVICE_CYCLE", `Services need each other in a circle: ${circle.join(" -> ")}. ${advice}`, {
        path: circle,
      });
      return;
    }
    path.push(registration);
    for (const next of edges(registrations, registration)) visit(next);
    path.pop();
    done.add(registration);
  };
  for (const registration of every) visit(registration);
}

const isOwn = (key: Key): boolean => key === Resolver || key === ScopeFactory;

const quoted = (registration: Registration): string => `"${registration.name}"`;
