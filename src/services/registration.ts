/** One line of the container's book: how instances for a key are made, and how long they live. */
import { type Dependency, isWish, type Key, keyOf } from "./key.ts";

/** How long an instance lives: as long as the container, as long as a scope, or per request. */
export type Lifetime = "singleton" | "scoped" | "transient";

/** How instances come about. */
export type Source =
  | { readonly kind: "made"; readonly make: (...dependencies: never[]) => unknown; readonly async: boolean }
  | { readonly kind: "value"; readonly value: unknown }
  /** Made for the one who asks, by its name; never kept, never disposed. */
  | { readonly kind: "named"; readonly make: (requester: string | undefined) => unknown };

/** A registered way to an instance. Compared by identity: the same class twice is two registrations. */
export interface Registration {
  readonly key: Key;
  /** The implementation's name, for messages. */
  readonly name: string;
  readonly lifetime: Lifetime;
  readonly dependencies: readonly Dependency[];
  readonly source: Source;
}

/** All registrations by key, in the order of registration. */
export type Registrations = ReadonlyMap<Key, readonly Registration[]>;

/** The one that a single request gets: the last. */
export function lastOf(registrations: Registrations, key: Key): Registration | undefined {
  return registrations.get(key)?.at(-1);
}

/** The registrations behind a dependency: none when it is missing. */
export function behind(registrations: Registrations, dependency: Dependency): readonly Registration[] {
  const registered = registrations.get(keyOf(dependency)) ?? [];
  return isWish(dependency) && dependency.kind === "all" ? registered : registered.slice(-1);
}

/** The registrations that making this one needs. */
export function edges(registrations: Registrations, registration: Registration): Registration[] {
  return registration.dependencies.flatMap((dependency) => behind(registrations, dependency));
}
