/** The list of services of an application: what is registered, and how long each instance lives. */
import { NightshiftError, Problems } from "../errors/index.ts";
import { Container } from "./container.ts";
import { type Class, type Dependency, isDependency, type Key, nameOf, type Resolved } from "./key.ts";
import { edges, type Lifetime, type Registration, type Registrations, type Source } from "./registration.ts";
import { type ForeignContainer, Resolver, ScopeFactory } from "./resolver.ts";
import { validate } from "./validate.ts";

declare const mistake: unique symbol;

/** What the compiler shows when an `inject` list is wrong. Nothing has it. */
export interface InjectMistake<What extends string> {
  readonly [mistake]: What;
}

/**
 * The compiler's check of a class: its `inject` list must give what the constructor takes, and a class without one must
 * take nothing.
 */
export type Injectable<C> = C extends { readonly inject: infer D extends readonly Dependency[] }
  ? number extends D["length"]
    ? InjectMistake<"write `as const` behind the static inject list">
    : C extends new (
          ...dependencies: Resolved<D>
        ) => unknown
      ? unknown
      : InjectMistake<"the static inject list must name what the constructor takes, in the same order">
  : C extends new () => unknown
    ? unknown
    : InjectMistake<"name what the constructor takes: static readonly inject = [...] as const">;

/** The three ways to register: a class, a class under another key, or a factory with its dependencies. */
export interface Register<Made extends "sync" | "maybe-async", Self> {
  <C extends Class>(implementation: C & Injectable<C>): Self;
  <T, C extends Class<NoInfer<T>>>(key: Key<T>, implementation: C & Injectable<C>): Self;
  <T, const D extends readonly Dependency[]>(
    key: Key<T>,
    dependencies: D,
    make: (...dependencies: Resolved<D>) => Made extends "sync" ? NoInfer<T> : NoInfer<T> | Promise<NoInfer<T>>,
  ): Self;
}

const OWN_KEYS: readonly Key[] = [Resolver, ScopeFactory];

/**
 * Where services are registered.
 *
 * A class names what it needs in `static readonly inject = [...] as const`; the compiler compares that list with the
 * constructor. Several registrations of one key are allowed: a single request gets the last, {@link all} gets them all.
 *
 * @example
 * ```ts
 * import { Services, token } from "nightshift";
 *
 * const Greeting = token<string>("Greeting");
 * class Greeter {
 *   static readonly inject = [Greeting] as const;
 *   readonly greeting: string;
 *   constructor(greeting: string) {
 *     this.greeting = greeting;
 *   }
 * }
 * await using container = new Services().value(Greeting, "hello").singleton(Greeter).build();
 * console.log(container.get(Greeter).greeting);
 * ```
 */
export class Services {
  readonly #registrations = new Map<Key, Registration[]>();
  readonly #overrides = new Map<Key, (registered: Lifetime) => Registration>();
  #foreign: ForeignContainer | undefined;
  #sealed = false;

  /** One instance for the whole application. Its factory may be asynchronous: the host awaits it before any service starts. */
  readonly singleton: Register<"maybe-async", this> = this.#registrar("singleton");
  /** One instance per scope: per job attempt, tick, queue item or request. */
  readonly scoped: Register<"sync", this> = this.#registrar("scoped");
  /** A new instance each time it is asked for. */
  readonly transient: Register<"sync", this> = this.#registrar("transient");

  /** Registers an instance that the caller made. The container gives it out and never disposes it. */
  value<T>(key: Key<T>, value: NoInfer<T>): this {
    return this.#add(valued(key, value));
  }

  /** Registers something made for the one who asks, from the name of the asking class: a logger, for example. */
  named<T>(key: Key<T>, make: (requester: string | undefined) => NoInfer<T>): this {
    const source: Source = { kind: "named", make };
    return this.#add({ key, name: nameOf(key), lifetime: "singleton", dependencies: [], source });
  }

  /**
   * Replaces every registration of a key, earlier and later ones: for tests. A factory keeps the lifetime that was
   * registered.
   *
   * @example
   * ```ts
   * import { Services } from "nightshift";
   *
   * class Mailer {
   *   send() {}
   * }
   * new Services().singleton(Mailer).override(Mailer, { send: () => console.log("not sent") });
   * ```
   */
  override<T>(key: Key<T>, value: NoInfer<T>): this;
  override<T, const D extends readonly Dependency[]>(
    key: Key<T>,
    dependencies: D,
    make: (...dependencies: Resolved<D>) => NoInfer<T>,
  ): this;
  override(key: Key, value: unknown, make?: Factory): this {
    this.#refuseWhenSealed(key);
    const dependencies = value as readonly Dependency[];
    this.#overrides.set(key, (lifetime) =>
      make === undefined ? valued(key, value) : made(key, nameOf(key), lifetime, dependencies, make),
    );
    return this;
  }

  /** Asks another container for every key that is not registered here. */
  fallback(foreign: ForeignContainer): this {
    this.#foreign = foreign;
    return this;
  }

  /** Whether a key is registered here. */
  has(key: Key): boolean {
    return this.#registrations.has(key) || this.#overrides.has(key);
  }

  /** Every key that a service needs, directly or through others. */
  needs(key: Key): ReadonlySet<Key> {
    const registrations = this.#final();
    const needed = new Set<Key>();
    const visit = (registration: Registration): void => {
      for (const next of edges(registrations, registration)) {
        if (needed.has(next.key)) continue;
        needed.add(next.key);
        visit(next);
      }
    };
    for (const registration of registrations.get(key) ?? []) visit(registration);
    return needed;
  }

  /** Checks the whole graph: missing services, circles, scoped services in singletons. Adds to `problems`. */
  validate(problems: Problems): void {
    validate(this.#final(), problems, this.#foreign);
  }

  /**
   * The container, after checking the whole graph. Nothing can be registered afterwards.
   *
   * @throws NS_BUILD_INVALID listing every problem, or the single problem itself
   */
  build(): Container {
    const problems = new Problems();
    this.validate(problems);
    problems.throwIfAny("The container");
    this.#sealed = true;
    return new Container(this.#final(), this.#foreign);
  }

  #final(): Registrations {
    const final = new Map<Key, readonly Registration[]>(this.#registrations);
    for (const [key, replace] of this.#overrides) {
      final.set(key, [replace(this.#registrations.get(key)?.at(-1)?.lifetime ?? "singleton")]);
    }
    return final;
  }

  #registrar(lifetime: Lifetime): Register<"sync" | "maybe-async", this> {
    return (key: Key, second?: Class | readonly Dependency[], make?: Factory): this => {
      if (make !== undefined) {
        return this.#add(made(key, nameOf(key), lifetime, second as readonly Dependency[], make));
      }
      const implementation = (second ?? key) as Class & { readonly inject?: readonly Dependency[] };
      if (typeof implementation !== "function") {
        throw new NightshiftError("NS_SERVICE_INVALID", `${nameOf(key)} was registered without a class or a factory.`);
      }
      const inject = implementation.inject ?? [];
      if (!Array.isArray(inject)) {
        const advice = "Give a list, one key per parameter: static readonly inject = [Logger] as const.";
        throw new NightshiftError(
          "NS_SERVICE_INVALID",
          `${nameOf(implementation)}'s static inject is no list. ${advice}`,
        );
      }
      if (implementation.length > inject.length) {
        const takes = `${nameOf(implementation)}'s constructor takes ${implementation.length} parameters`;
        const list = `its static inject list names ${inject.length}`;
        throw new NightshiftError("NS_SERVICE_INVALID", `${takes}, but ${list}. Name one key per parameter.`);
      }
      const construct = (...dependencies: never[]) => new implementation(...dependencies);
      return this.#add(made(key, nameOf(implementation), lifetime, inject, construct));
    };
  }

  #add(registration: Registration): this {
    this.#refuseWhenSealed(registration.key);
    const wrong = registration.dependencies.findIndex((dependency) => !isDependency(dependency));
    if (wrong >= 0) {
      const which = `dependency ${wrong + 1} of ${registration.name}`;
      const why = "is neither a class nor a token. A class used before its declaration is undefined";
      throw new NightshiftError("NS_SERVICE_INVALID", `The ${which} ${why}: check the order and import cycles.`);
    }
    const list = this.#registrations.get(registration.key);
    if (list === undefined) this.#registrations.set(registration.key, [registration]);
    else list.push(registration);
    return this;
  }

  #refuseWhenSealed(key: Key): void {
    if (OWN_KEYS.includes(key)) {
      throw new NightshiftError(
        "NS_SERVICE_INVALID",
        `${nameOf(key)} is the container's own and cannot be registered.`,
      );
    }
    if (this.#sealed) {
      const what = `${nameOf(key)} was registered after the container was built.`;
      throw new NightshiftError("NS_SERVICE_INVALID", `${what} Register everything before build().`);
    }
  }
}

type Factory = (...dependencies: never[]) => unknown;

/** Written as `async`: known before it runs, so that the host can await it at start. */
const AsyncFunction = (async () => undefined).constructor;

function made(key: Key, name: string, lifetime: Lifetime, dependencies: readonly Dependency[], make: Factory) {
  const source: Source = { kind: "made", make, async: make instanceof AsyncFunction };
  return { key, name, lifetime, dependencies: [...dependencies], source };
}

function valued(key: Key, value: unknown): Registration {
  return { key, name: nameOf(key), lifetime: "singleton", dependencies: [], source: { kind: "value", value } };
}
