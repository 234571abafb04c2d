/** A small HTTP server for a dashboard that has a port of its own: node:http on one side, the fetch handler on the other. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { LoggerLike } from "../../telemetry/index.ts";
import type { Peer } from "./access.ts";

/** What answers. */
export type Fetch = (request: Request, peer: Peer) => Promise<Response>;

const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
/** Methods that a Request cannot have. */
const IMPOSSIBLE = ["CONNECT", "TRACE", "TRACK"];

/** A listening server. */
export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: AddressInfo;
  /** Takes no more connections, lets answers end, and ends what is left when the signal says so. */
  close(deadline: AbortSignal): Promise<void>;
}

/** Listens. Rejects when it cannot, with the system's reason (EADDRINUSE, EACCES). */
export async function listen(fetch: Fetch, port: number, host: string, logger: LoggerLike): Promise<Listener> {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT });
  server.on("request", (request, response) => {
    // A connection that falls idle after the server was closed would hold the stop up for its keep-alive time.
    response.once("close", () => server.listening || setImmediate(() => server.closeIdleConnections()));
    void answer(fetch, request, response, logger);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => logger.error({ err: error }, "The dashboard's listener failed"));
  return { address: server.address() as AddressInfo, close: (deadline) => close(server, deadline) };
}

async function close(server: Server, deadline: AbortSignal): Promise<void> {
  const endAll = () => server.closeAllConnections();
  deadline.addEventListener("abort", endAll, { once: true });
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  if (deadline.aborted) endAll();
  await closed;
  deadline.removeEventListener("abort", endAll);
}

async function answer(fetch: Fetch, incoming: IncomingMessage, outgoing: ServerResponse, logger: LoggerLike) {
  // The browser leaving ends what the handler reads or streams for it.
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  try {
    const request = toRequest(incoming, gone.signal);
    if (request === null) {
      outgoing.writeHead(400, { "content-type": "text/plain", connection: "close" }).end("Bad request\n");
      return;
    }
    const response = await fetch(request, { remoteAddress: incoming.socket.remoteAddress });
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as NodeReadableStream), outgoing);
  } catch (error) {
    if (!gone.signal.aborted) logger.error({ err: error }, "The dashboard's listener could not answer");
    outgoing.destroy();
  }
}

/** Null for what is not a request that the handler should see: no usable Host, or a target that is not a path. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request | null {
  const { host } = incoming.headers;
  const { method = "GET", url = "/" } = incoming;
  if (host === undefined || !HOST.test(host) || !url.startsWith("/") || IMPOSSIBLE.includes(method)) return null;
  // Joined as text: resolving "//elsewhere/" against the host would change the host.
  const address = URL.parse(`http://${host}${url}`);
  if (address === null) return null;
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: Readable.toWeb(incoming), duplex: "half" } : {};
  return new Request(address, { method, headers, signal, ...body } as RequestInit);
}
