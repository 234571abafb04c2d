/** What the container offers to those who resolve: resolver, scope, scope factory, and the adapter for another container. */
import { type Dependency, type Instance, type Key, token } from "./key.ts";

/** Gives instances. */
export interface Resolver {
  /**
   * The instance for a key, a list for {@link all}, or `undefined` for a missing {@link optional}.
   *
   * @throws NS_SERVICE_MISSING when nothing is registered under the key
   * @throws NS_SERVICE_SCOPE when a scoped service is asked of the root
   * @throws NS_SERVICE_ASYNC when an asynchronous singleton was not made yet
   * @throws NS_SERVICE_DISPOSED after disposal
   */
  get<D extends Dependency>(dependency: D): Instance<D>;
  /** A new unit of work. Dispose it when the work is over. */
  createScope(): Scope;
}

/** The resolver, injected: of the scope where the asking service lives. Prefer naming the dependencies themselves. */
export const Resolver = token<Resolver>("Resolver");

/** A unit of work: scoped services are made once in it, and disposed with it. */
export interface Scope extends Resolver, AsyncDisposable {}

/** Makes scopes. Singletons may always inject it. */
export interface ScopeFactory {
  createScope(): Scope;
}

/**
 * The scope factory, injected.
 *
 * @example
 * ```ts
 * import { ScopeFactory } from "nightshift";
 *
 * class Orders {}
 * class Import {
 *   static readonly inject = [ScopeFactory] as const;
 *   readonly scopes: ScopeFactory;
 *   constructor(scopes: ScopeFactory) {
 *     this.scopes = scopes;
 *   }
 *   async run() {
 *     await using scope = this.scopes.createScope();
 *     scope.get(Orders);
 *   }
 * }
 * ```
 */
export const ScopeFactory = token<ScopeFactory>("ScopeFactory");

/**
 * Another container (Nest's, awilix, your own), seen through two methods. Keys that are not registered here are asked
 * of it; each scope here has one scope there, disposed with it.
 */
export interface ForeignContainer {
  /** The instance, or `undefined` when it has none. */
  get(key: Key): unknown;
  createScope(): ForeignContainer & Partial<AsyncDisposable>;
  /** Whether the key is known. Without it every key that is missing here is taken to be there, and fails when asked for. */
  has?(key: Key): boolean;
}
