/** The headers of every answer. */

/** Nothing from elsewhere, nothing inline, no frames around the page, and no way to make markup out of text. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

/** Headers with the security ones added. No answer has a CORS header, so no other origin can read one. */
export function withSecurity(headers: Readonly<Record<string, string>>): Headers {
  return new Headers({ ...SECURITY_HEADERS, ...headers });
}

/** A JSON answer; never kept by anybody on the way. */
export function jsonResponse(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: withSecurity({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store" }),
  });
}
