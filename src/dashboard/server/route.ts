/** What a route is. The permission is part of its type: one without does not compile, and a change cannot be a read. */
import type { OperateApi, ReadApi } from "../api.ts";
import type { BodyReader, QueryReader } from "./params.ts";
import type { DashboardParts } from "./parts.ts";

/** Who asks, once that was settled. */
export interface Visitor {
  readonly role: "read" | "operate";
  readonly user: string | null;
}

/** What a route's handler may use. */
export interface RouteContext {
  readonly parts: DashboardParts;
  readonly visitor: Visitor;
}

/** Answers a GET and changes nothing. */
export interface ReadRoute<P extends keyof ReadApi> {
  readonly method: "GET";
  readonly permission: "read";
  /** The query parameters it takes; others are refused. */
  readonly query: readonly (keyof ReadApi[P]["query"] & string)[];
  handle(context: RouteContext, query: QueryReader): Promise<ReadApi[P]["answer"]>;
}

/** Changes something, by POST only. */
export interface OperateRoute<P extends keyof OperateApi> {
  readonly method: "POST";
  readonly permission: "operate";
  /** Checks the body. What it returns is what the handler gets, and what the audit line says unless {@link audit} is there. */
  parse(body: BodyReader): OperateApi[P]["body"];
  /** What the audit line says, for bodies with something private in them. */
  audit?(body: OperateApi[P]["body"]): object;
  handle(context: RouteContext, body: OperateApi[P]["body"]): Promise<OperateApi[P]["answer"]>;
}

/** Every address of the API with its route. */
export type Routes = { readonly [P in keyof ReadApi]: ReadRoute<P> } & {
  readonly [P in keyof OperateApi]: OperateRoute<P>;
};
