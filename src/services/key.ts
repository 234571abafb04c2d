/** What a service is asked for by: a class, a token, or a wish around one of them (`all`, `optional`). */

declare const type: unique symbol;

/** A class that can be constructed. */
export type Class<T = unknown> = new (...args: never[]) => T;
/** A class used as a key only, so an abstract one will do. */
export type AbstractClass<T = unknown> = abstract new (...args: never[]) => T;

/** A key for something that has no class of its own: an interface, a configuration value, a function. */
export interface Token<T> {
  readonly kind: "token";
  /** How the token is called in errors and graphs. */
  readonly name: string;
  /** Carries the type; never present. */
  readonly [type]?: T;
}

/** What a service is registered under. */
export type Key<T = unknown> = AbstractClass<T> | Token<T>;

/** The wish for every registration of a key; see {@link all}. */
export interface All<T> {
  readonly kind: "all";
  readonly key: Key<T>;
}

/** The wish for a key that may be missing; see {@link optional}. */
export interface Optional<T> {
  readonly kind: "optional";
  readonly key: Key<T>;
}

/** What may stand in an `inject` list. */
export type Dependency<T = unknown> = Key<T> | All<T> | Optional<T>;

/** What resolving a dependency gives. */
export type Instance<D> =
  D extends Token<infer T>
    ? T
    : D extends All<infer T>
      ? T[]
      : D extends Optional<infer T>
        ? T | undefined
        : D extends AbstractClass<infer T>
          ? T
          : never;

/**
 * The instances of a list of dependencies, in the same order: what a constructor or a handler receives.
 *
 * @example
 * ```ts
 * import { all, type Resolved } from "nightshift";
 *
 * class Mailer {}
 * abstract class Plugin {}
 * const inject = [Mailer, all(Plugin)] as const;
 * const run = (...[mailer, plugins]: Resolved<typeof inject>) => console.log(mailer, plugins.length);
 * ```
 */
export type Resolved<D extends readonly Dependency[]> = { -readonly [I in keyof D]: Instance<D[I]> };

/**
 * A key for something that has no class. Give it the name of its interface: one word is then both type and key.
 *
 * @example
 * ```ts
 * import { token } from "nightshift";
 *
 * interface Rates { of(currency: string): number }
 * const Rates = token<Rates>("Rates");
 * ```
 */
export function token<T>(name: string): Token<T> {
  return Object.freeze({ kind: "token", name });
}

/** Every registration of a key, in the order of registration; an empty list when there is none. */
export function all<T>(key: Key<T>): All<T> {
  return Object.freeze({ kind: "all", key });
}

/** A key that may be missing: `undefined` is given then. */
export function optional<T>(key: Key<T>): Optional<T> {
  return Object.freeze({ kind: "optional", key });
}

/** How a key or a dependency is called in messages. */
export function nameOf(dependency: Dependency): string {
  if (typeof dependency === "function") return dependency.name || "(anonymous class)";
  if (dependency.kind === "token") return dependency.name;
  return `${dependency.kind}(${nameOf(dependency.key)})`;
}

/** The key that a dependency asks for. */
export function keyOf(dependency: Dependency): Key {
  return isWish(dependency) ? dependency.key : dependency;
}

/** Whether a dependency is satisfied by nothing at all. */
export function isWish<T>(dependency: Dependency<T>): dependency is All<T> | Optional<T> {
  return typeof dependency === "object" && dependency.kind !== "token";
}

/** Whether a value can stand in an `inject` list; programs without types get a message instead of a crash. */
export function isDependency(value: unknown): value is Dependency {
  if (typeof value === "function") return true;
  const kind = (value as { kind?: unknown } | null | undefined)?.kind;
  return kind === "token" || kind === "all" || kind === "optional";
}
