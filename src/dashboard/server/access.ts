/** Who may use the dashboard. Without `authorize`, that is this machine and nobody else. */
import { NightshiftError, show } from "../../errors/index.ts";
import { Refusal } from "./refusal.ts";
import type { Visitor } from "./route.ts";

/** The other end of the connection, as the server that accepted it knows it; never taken from a header. */
export interface Peer {
  /** The socket's remote address, `127.0.0.1` or `::1`, say. */
  readonly remoteAddress?: string | undefined;
}

/**
 * Who a request comes from: `false` is refused; `"read"` may look; `"operate"` may also act. With `user`, the audit
 * lines name who acted.
 */
export type Verdict = false | "read" | "operate" | { readonly role: "read" | "operate"; readonly user?: string };

/**
 * Decides about each request, API and page alike. Throwing refuses.
 *
 * @example
 * ```ts
 * import type { Authorize } from "nightshift/dashboard";
 *
 * const authorize: Authorize = (request) =>
 *   request.headers.get("x-user-group") === "operators" ? { role: "operate", user: "from the proxy" } : false;
 * ```
 */
export type Authorize = (request: Request, peer: Peer) => Verdict | Promise<Verdict>;

/** Headers that a proxy adds. Behind one, every request comes from loopback, so the address proves nothing. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
const LOOPBACK_NAME = /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** The visitor behind a request, or a {@link Refusal} of 403. */
export async function admit(request: Request, peer: Peer, authorize: Authorize | undefined): Promise<Visitor> {
  if (authorize === undefined) return admitLoopback(request, peer);
  const verdict: unknown = await authorize(request, peer);
  if (verdict === false) throw forbidden("You may not use this dashboard.");
  if (verdict === "read" || verdict === "operate") return { role: verdict, user: null };
  const { role, user } = (typeof verdict === "object" && verdict !== null ? verdict : {}) as Record<string, unknown>;
  if (role === "read" || role === "operate") return { role, user: typeof user === "string" ? user : null };
  // Neither a refusal nor a role: a mistake in `authorize` must not let anybody in.
  const ways = 'It is false, "read", "operate", or { role, user }.';
  throw new NightshiftError("NS_DASHBOARD_FORBIDDEN", `authorize returned ${show(verdict)}. ${ways}`);
}

/** Whether a socket's address is this machine's own. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address);
}

function admitLoopback(request: Request, peer: Peer): Visitor {
  const advice = "Give the dashboard an authorize function to let others in.";
  if (!isLoopback(peer.remoteAddress)) throw forbidden(`Only this machine may use this dashboard. ${advice}`);
  if (FORWARDED.some((name) => request.headers.has(name))) {
    throw forbidden(`This request came through a proxy, so where it is from is not known. ${advice}`);
  }
  // A name that somebody else's DNS points at 127.0.0.1 would make their page "same origin" with this one.
  if (!LOOPBACK_NAME.test(new URL(request.url).hostname)) {
    throw forbidden(`Only localhost is served under this name. ${advice}`);
  }
  return { role: "operate", user: null };
}

function forbidden(message: string): Refusal {
  return new Refusal(403, message, "NS_DASHBOARD_FORBIDDEN");
}
