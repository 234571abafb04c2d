/** The built container: the root scope, and the preparation of asynchronous singletons. */
import type { Dependency, Instance } from "./key.ts";
import { behind, edges, type Registration, type Registrations } from "./registration.ts";
import type { ForeignContainer, Resolver, Scope } from "./resolver.ts";
import { LiveScope } from "./scope.ts";

/** The root resolver of an application. Disposing it disposes the singletons, last made first. */
export class Container implements Resolver, AsyncDisposable {
  readonly #registrations: Registrations;
  readonly #root: LiveScope;

  constructor(registrations: Registrations, foreign: ForeignContainer | undefined) {
    this.#registrations = registrations;
    this.#root = new LiveScope({ registrations, owned: suppliedValues(registrations) }, foreign);
  }

  get<D extends Dependency>(dependency: D): Instance<D> {
    return this.#root.get(dependency);
  }

  createScope(): Scope {
    return this.#root.createScope();
  }

  /**
   * Makes every singleton whose factory is declared `async`, and the singletons behind `wanted`, dependencies first,
   * awaiting each. The host does this before any service starts.
   *
   * @throws whatever a factory throws; later ones are not made then
   */
  async prepare(wanted: readonly Dependency[] = []): Promise<void> {
    const first = wanted.flatMap((dependency) => behind(this.#registrations, dependency));
    const asynchronous = [...this.#registrations.values()].flat().filter(isAsync);
    for (const registration of dependenciesFirst([...first, ...asynchronous], this.#registrations)) {
      if (registration.lifetime === "singleton" && registration.source.kind === "made") {
        await this.#root.makeAsync(registration);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#root[Symbol.asyncDispose]();
  }
}

const isAsync = ({ source }: Registration): boolean => source.kind === "made" && source.async;

function dependenciesFirst(from: readonly Registration[], registrations: Registrations): ReadonlySet<Registration> {
  const ordered = new Set<Registration>();
  const visit = (registration: Registration): void => {
    if (ordered.has(registration)) return;
    for (const next of edges(registrations, registration)) visit(next);
    ordered.add(registration);
  };
  for (const registration of from) visit(registration);
  return ordered;
}

/** The caller's own instances: never disposed here, also when a factory passes one on under another key. */
function suppliedValues(registrations: Registrations): WeakSet<object> {
  const supplied = new WeakSet<object>();
  for (const { source } of [...registrations.values()].flat()) {
    const value = source.kind === "value" ? source.value : undefined;
    if (value !== null && (typeof value === "object" || typeof value === "function")) supplied.add(value);
  }
  return supplied;
}
