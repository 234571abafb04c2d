/** The dashboard as one function from a request to a response, at home under any path and in any framework. */
import type { OperateApi, ReadApi } from "../api.ts";
import { type Authorize, admit, type Peer } from "./access.ts";
import type { Assets } from "./assets.ts";
import { jsonResponse, withSecurity } from "./headers.ts";
import type { LiveStream } from "./live.ts";
import { readJson, requireSameOrigin } from "./mutation.ts";
import { readBody, readQuery } from "./params.ts";
import type { DashboardParts } from "./parts.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { OperateRoute, ReadRoute, Visitor } from "./route.ts";
import { routes } from "./routes.ts";

/** The addresses of pages. They lie side by side, so that every link and asset is relative to the mount. */
const PAGES: ReadonlySet<string> = new Set([
  "",
  "jobs",
  "job",
  "schedules",
  "schedule",
  "newschedule",
  "editschedule",
  "services",
  "instances",
]);
const LIVE = "api/live";

/** What the handler works with. */
export interface HandlerOptions {
  readonly parts: DashboardParts;
  readonly assets: Assets;
  readonly live: LiveStream;
  /** Where the dashboard is mounted: starts and ends with a slash. */
  readonly mount: string;
  readonly authorize: Authorize | undefined;
}

/** Answers every request; never throws. */
export async function handle(options: HandlerOptions, request: Request, peer: Peer): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    // Before anything else: somebody who may not look learns nothing, not even which addresses exist.
    const visitor = await admit(request, peer, options.authorize);
    const below = pathBelow(options.mount, pathname);
    if (below === null) return addSlash(options.mount);
    return await dispatch(options, request, visitor, below);
  } catch (error) {
    const { status, body } = refusalOf(error, options.parts.logger, pathname);
    return jsonResponse(status, body);
  }
}

async function dispatch(options: HandlerOptions, request: Request, visitor: Visitor, path: string): Promise<Response> {
  const { method } = request;
  if (path.startsWith("api/")) {
    if (path === LIVE) {
      requireMethod(method, "GET");
      return options.live.respond();
    }
    const route = Object.hasOwn(routes, path) ? routes[path as keyof typeof routes] : undefined;
    if (route === undefined) throw notFound();
    requireMethod(method, route.method);
    return route.method === "GET"
      ? read(options, request, visitor, route as ReadRoute<keyof ReadApi>)
      : operate(options, request, visitor, path, route as OperateRoute<keyof OperateApi>);
  }
  if (method !== "GET" && method !== "HEAD") throw new Refusal(405, `${method} is not possible here.`);
  const response = options.assets.respond(PAGES.has(path) ? "" : path, request);
  if (response === null) throw notFound();
  return response;
}

async function read<P extends keyof ReadApi>(
  { parts }: HandlerOptions,
  request: Request,
  visitor: Visitor,
  route: ReadRoute<P>,
): Promise<Response> {
  const query = readQuery(new URL(request.url).searchParams, route.query);
  return jsonResponse(200, await route.handle({ parts, visitor }, query));
}

async function operate<P extends keyof OperateApi>(
  { parts }: HandlerOptions,
  request: Request,
  visitor: Visitor,
  path: string,
  route: OperateRoute<P>,
): Promise<Response> {
  if (visitor.role !== route.permission) {
    throw new Refusal(403, "You may look, but not change anything.", "NS_DASHBOARD_FORBIDDEN");
  }
  requireSameOrigin(request);
  const body = route.parse(readBody(await readJson(request)));
  const answer = await route.handle({ parts, visitor }, body);
  const audit = { user: visitor.user, action: path.slice("api/".length), target: route.audit?.(body) ?? body };
  parts.logger.info({ audit }, "Changed from the dashboard");
  return jsonResponse(200, answer);
}

/** The path below the mount, without a leading slash; null when only the mount's slash is missing. */
function pathBelow(mount: string, pathname: string): string | null {
  if (pathname.startsWith(mount)) return pathname.slice(mount.length);
  if (`${pathname}/` === mount) return null;
  throw notFound();
}

/** Relative to where the browser is, and made of the mount alone: no header or path of a request gets into it. */
function addSlash(mount: string): Response {
  const last = mount.split("/").at(-2) ?? "";
  return new Response(null, { status: 308, headers: withSecurity({ location: `./${last}/` }) });
}

function requireMethod(method: string, wanted: "GET" | "POST"): void {
  if (method !== wanted) throw new Refusal(405, `This takes ${wanted}, not ${method}.`);
}

function notFound(): Refusal {
  return new Refusal(404, "There is nothing at this address.");
}
