/** One scope at work: makes instances, keeps those that live in it, disposes them. The root is the scope of singletons. */
import { NightshiftError } from "../errors/index.ts";
import { disposeAll, isDisposable, throwCollected } from "./disposal.ts";
import { type Dependency, type Instance, isWish, type Key, keyOf, nameOf } from "./key.ts";
import { lastOf, type Registration, type Registrations } from "./registration.ts";
import { type ForeignContainer, Resolver, type Scope, ScopeFactory } from "./resolver.ts";

/** What all scopes of one container share. */
interface Shared {
  readonly registrations: Registrations;
  /** Everything that has an owner: it is disposed once, or never when the caller made it. */
  readonly owned: WeakSet<object>;
}

/** A scope of the container. Without a parent it is the root. */
export class LiveScope implements Scope {
  readonly #shared: Shared;
  readonly #root: LiveScope;
  readonly #foreign: (ForeignContainer & Partial<AsyncDisposable>) | undefined;
  readonly #instances = new Map<Registration, unknown>();
  /** Singletons whose factory has not resolved yet. */
  readonly #pending = new Map<Registration, Promise<unknown>>();
  readonly #making = new Set<Registration>();
  readonly #made: Partial<AsyncDisposable & Disposable>[] = [];
  /** Called when the last construction under way has ended. */
  #whenIdle: (() => void) | undefined;
  #constructions = 0;
  #disposal: Promise<void> | undefined;

  constructor(shared: Shared, foreign: ForeignContainer | undefined, root?: LiveScope) {
    this.#shared = shared;
    this.#root = root ?? this;
    this.#foreign = foreign;
  }

  get<D extends Dependency>(dependency: D): Instance<D> {
    return this.#resolve(dependency, undefined) as Instance<D>;
  }

  createScope(): Scope {
    this.#refuseWhenDisposed("a scope");
    return new LiveScope(this.#shared, this.#foreign?.createScope(), this.#root);
  }

  /** Makes one singleton, awaiting its factory. Made before, it is only awaited. */
  async makeAsync(registration: Registration): Promise<void> {
    if (this.#instances.has(registration)) return;
    let pending = this.#pending.get(registration);
    if (pending === undefined) {
      const made = this.#construct(registration);
      if (!isPromise(made)) return this.#keep(registration, made);
      pending = this.#await(registration, made);
    }
    await pending;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  #resolve(dependency: Dependency, requester: Registration | undefined): unknown {
    const key = keyOf(dependency);
    this.#refuseWhenDisposed(nameOf(key));
    if (isWish(dependency) && dependency.kind === "all") {
      const registered = this.#shared.registrations.get(key) ?? [];
      return registered.map((registration) => this.#instance(registration, requester));
    }
    if (key === Resolver || key === ScopeFactory) return this;
    const registration = lastOf(this.#shared.registrations, key);
    return registration === undefined
      ? this.#fromElsewhere(key, isWish(dependency), requester)
      : this.#instance(registration, requester);
  }

  #fromElsewhere(key: Key, optional: boolean, requester: Registration | undefined): unknown {
    const value = this.#foreign?.get(key);
    if (value === undefined && !optional) {
      const by = requester === undefined ? "" : `, needed by ${requester.name},`;
      const advice = `Register it with builder.services before build().`;
      throw new NightshiftError("NS_SERVICE_MISSING", `${nameOf(key)}${by} is not registered. ${advice}`, {
        details: { service: nameOf(key) },
      });
    }
    if (typeof value === "object" && value !== null) this.#shared.owned.add(value);
    return value;
  }

  #instance(registration: Registration, requester: Registration | undefined): unknown {
    const { source, lifetime } = registration;
    if (source.kind === "value") return source.value;
    if (source.kind === "named") return source.make(requester?.name);
    if (lifetime === "singleton") return this.#root.#kept(registration);
    if (lifetime === "transient") return this.#track(registration, this.#construct(registration));
    if (this !== this.#root) return this.#kept(registration);
    const by = requester === undefined ? "" : ` It is needed by "${requester.name}".`;
    const advice = "Make a scope: await using scope = scopes.createScope().";
    const what = `Cannot resolve scoped service "${registration.name}" from the root.${by} ${advice}`;
    throw new NightshiftError("NS_SERVICE_SCOPE", what, { details: { service: registration.name } });
  }

  #kept(registration: Registration): unknown {
    if (this.#instances.has(registration)) return this.#instances.get(registration);
    if (this.#pending.has(registration)) throw notYet(registration);
    if (this.#making.has(registration)) {
      const what = `${registration.name} was asked for while it was being made.`;
      throw new NightshiftError(
        "NS_SERVICE_CYCLE",
        `${what} Its factory or constructor reaches itself through a Resolver.`,
      );
    }
    const made = this.#construct(registration);
    if (isPromise(made)) {
      // The rejection, if any, belongs to whoever awaits the preparation; this caller already gets an error.
      this.#await(registration, made).catch(() => undefined);
      throw notYet(registration);
    }
    this.#keep(registration, made);
    return made;
  }

  #construct(registration: Registration): unknown {
    const { source, dependencies } = registration;
    if (source.kind !== "made") return this.#instance(registration, undefined);
    this.#making.add(registration);
    this.#constructions++;
    try {
      const given = dependencies.map((dependency) => this.#resolve(dependency, registration));
      return source.make(...(given as never[]));
    } finally {
      this.#making.delete(registration);
      this.#constructionEnded();
    }
  }

  #await(registration: Registration, promise: PromiseLike<unknown>): Promise<unknown> {
    this.#constructions++;
    const settled = (async () => {
      try {
        const made = await promise;
        this.#keep(registration, made);
        return made;
      } finally {
        this.#pending.delete(registration);
        this.#constructionEnded();
      }
    })();
    this.#pending.set(registration, settled);
    return settled;
  }

  #keep(registration: Registration, made: unknown): void {
    this.#track(registration, made);
    this.#instances.set(registration, made);
  }

  /** Made while the scope was being disposed, it is disposed too, and its asker is told. */
  #track<T>(registration: Registration, made: T): T {
    if (isDisposable(made) && !this.#shared.owned.has(made)) {
      this.#shared.owned.add(made);
      this.#made.push(made);
    }
    this.#refuseWhenDisposed(registration.name);
    return made;
  }

  #constructionEnded(): void {
    this.#constructions--;
    if (this.#constructions === 0) this.#whenIdle?.();
  }

  async #dispose(): Promise<void> {
    if (this.#constructions > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    const errors = await disposeAll(this.#made);
    this.#instances.clear();
    if (this !== this.#root) errors.push(...(await disposeAll(isDisposable(this.#foreign) ? [this.#foreign] : [])));
    throwCollected(errors, `${errors.length} services failed to be disposed.`);
  }

  #refuseWhenDisposed(wanted: string): void {
    if (this.#disposal === undefined && this.#root.#disposal === undefined) return;
    const which = this.#disposal !== undefined && this !== this.#root ? "scope" : "container";
    throw new NightshiftError("NS_SERVICE_DISPOSED", `${wanted} was asked for, but the ${which} is disposed.`);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function notYet(registration: Registration): NightshiftError {
  const what = `${registration.name} has an asynchronous factory that has not finished.`;
  const advice =
    "The host awaits factories declared `async` at its start; without a host, await container.prepare() first.";
  return new NightshiftError("NS_SERVICE_ASYNC", `${what} ${advice}`, { details: { service: registration.name } });
}
