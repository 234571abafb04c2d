/** Requests to a dashboard without a socket, as this machine's own browser would make them. */
import type { Dashboard } from "../../src/dashboard/index.ts";

export const LOOPBACK = { remoteAddress: "127.0.0.1" };
const ORIGIN = "http://localhost:3000";

/** A GET. */
export function get(dashboard: Dashboard, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return dashboard.fetch(new Request(ORIGIN + path, { headers }), LOOPBACK);
}

/** A POST as the page makes it; `headers` replace its own, and empty text takes one away. */
export function post(
  dashboard: Dashboard,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const all = { "content-type": "application/json", "sec-fetch-site": "same-origin", origin: ORIGIN, ...headers };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return dashboard.fetch(new Request(ORIGIN + path, { method: "POST", headers: kept, body: text }), LOOPBACK);
}

/** The JSON of an answer. */
export async function json(answer: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await answer).json()) as Record<string, unknown>;
}
