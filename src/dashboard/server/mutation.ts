/** What a request that changes something must show before its body is believed: JSON, of bounded size, from the page's own origin. */
import { Refusal } from "./refusal.ts";

/** A list of 500 ids is far below this. */
const LARGEST_BODY = 64 * 1024;

/** Refuses what another site could have caused. A form cannot send JSON, and a foreign script cannot forge these headers. */
export function requireSameOrigin(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) {
    if (site !== "same-origin") throw forbidden(`A change must come from the dashboard's own page, not from ${site}.`);
    return;
  }
  const origin = request.headers.get("origin");
  // Hosts are compared, not schemes: behind a proxy that ends TLS the page is https and this request is not.
  if (origin === null || hostOf(origin) !== new URL(request.url).host) {
    throw forbidden("A change must come from the dashboard's own page: Sec-Fetch-Site or Origin must say so.");
  }
}

/** The body as parsed JSON. */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Refusal(415, "A change is sent as application/json.");
  if (request.headers.has("content-encoding")) throw new Refusal(415, "A compressed body is not taken.");
  const text = await readText(request);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(400, "The body is not JSON.");
    throw error;
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new Refusal(413, `The body is larger than ${LARGEST_BODY} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > LARGEST_BODY) throw tooLarge();
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Counted while it arrives: a length in a header is only what the sender says.
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function hostOf(origin: string): string | null {
  return URL.parse(origin)?.host ?? null;
}

function forbidden(message: string): Refusal {
  return new Refusal(403, message, "NS_DASHBOARD_FORBIDDEN");
}
