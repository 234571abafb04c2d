/** HTTP servers under the host: listening at the start, drained at the stop. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import { type Clock, systemClock } from "../time/index.ts";
import type { HostedService, ServiceContext } from "./hosted-service.ts";

/** A server of `node:http` or `node:https`. */
export type HttpServer = Server | SecureServer;

/** Idle connections are looked for this often: `server.close()` alone closes those of the moment only. */
const LOOK_EVERY = 50;

/**
 * Ends a server without cutting anybody off: no new connections, every answer says `Connection: close`, connections are
 * closed as soon as they are idle. When `signal` is aborted the rest is cut. A plain `server.close()` waits for
 * keep-alive connections as long as their clients like.
 *
 * Connections that were upgraded (WebSocket) are no longer the server's: they are cut only if they are among `sockets`.
 *
 * @returns how many connections had to be cut
 */
export async function drainHttpServer(
  server: HttpServer,
  options: {
    readonly signal?: AbortSignal;
    readonly clock?: Clock;
    readonly open?: Iterable<ServerResponse>;
    readonly sockets?: Iterable<Socket>;
  } = {},
): Promise<number> {
  const { signal, clock = systemClock, open = [], sockets = [] } = options;
  if (!server.listening) return 0;
  const sayClose = (_request: IncomingMessage, response: ServerResponse) => {
    if (!response.headersSent) response.setHeader("connection", "close");
  };
  for (const response of open) sayClose(response.req, response);
  server.prependListener("request", sayClose);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  let cut = 0;
  let over = false;
  const look = () => {
    if (over) return;
    server.closeIdleConnections();
    clock.setTimer(LOOK_EVERY, look);
  };
  look();
  const onAbort = () => {
    server.getConnections((_error, count) => (cut = count));
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  await closed;
  over = true;
  signal?.removeEventListener("abort", onAbort);
  server.off("request", sayClose);
  return cut;
}

/** Where a server listens. */
export interface ListenOptions {
  /** Default 0: any free port; read it from `server.address()`. */
  readonly port?: number;
  /** The address to bind. Default: this machine only, `127.0.0.1`. */
  readonly host?: string;
}

/**
 * Listens at the start, and is drained in the phase before any service's `stop`: what answers requests is still there,
 * whatever the order of registration.
 */
export class HttpServerService implements HostedService {
  readonly #server: HttpServer;
  readonly #listen: ListenOptions;
  readonly #clock: Clock;
  /** Answers under way: those that began before the drain must say close too. */
  readonly #open = new Set<ServerResponse>();
  /** All connections: those that were upgraded are nobody else's to cut. */
  readonly #sockets = new Set<Socket>();
  #context: ServiceContext | undefined;
  /** Tells of the server's errors, to the run that is under way. */
  #onError: ((error: unknown) => void) | undefined;

  constructor(server: HttpServer, listen: ListenOptions, clock: Clock) {
    this.#server = server;
    this.#listen = listen;
    this.#clock = clock;
  }

  async start(signal: AbortSignal, context: ServiceContext): Promise<void> {
    this.#context = context;
    const server = this.#server;
    server.prependListener("request", this.#follow);
    server.on("connection", this.#keep);
    const { port = 0, host = "127.0.0.1" } = this.#listen;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host, signal }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#onError = context.fail;
    server.on("error", context.fail);
    context.logger.info({ address: addressOf(server) }, "listening");
  }

  async stopping(signal: AbortSignal): Promise<void> {
    const known = { open: this.#open, sockets: this.#sockets };
    const cut = await drainHttpServer(this.#server, { signal, clock: this.#clock, ...known });
    if (cut > 0)
      this.#context?.logger.warn({ connections: cut }, "connections were cut: the time for draining was over");
    this.#server.off("request", this.#follow);
    this.#server.off("connection", this.#keep);
  }

  /** It was drained before. */
  stop(): void {
    if (this.#onError !== undefined) this.#server.off("error", this.#onError);
  }

  readonly #keep = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  };

  readonly #follow = (_request: IncomingMessage, response: ServerResponse): void => {
    this.#open.add(response);
    response.once("close", () => this.#open.delete(response));
  };
}

function addressOf(server: HttpServer): string {
  const address = server.address();
  if (address === null || typeof address === "string") return String(address);
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
