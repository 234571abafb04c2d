/** The container: keys, lifetimes, scopes, validation. */
export { Clock } from "./clock.ts";
export { Container } from "./container.ts";
export { disposeAll, isDisposable, throwCollected } from "./disposal.ts";
export {
  type AbstractClass,
  type All,
  all,
  type Class,
  type Dependency,
  type Instance,
  isDependency,
  type Key,
  nameOf,
  type Optional,
  optional,
  type Resolved,
  type Token,
  token,
} from "./key.ts";
export type { Lifetime } from "./registration.ts";
export { type ForeignContainer, Resolver, type Scope, ScopeFactory } from "./resolver.ts";
export { type Injectable, type Register, Services } from "./services.ts";
