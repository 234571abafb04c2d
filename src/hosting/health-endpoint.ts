/** The tiny listener for health probes. It listens before the first service starts and until the last has stopped. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duration } from "../time/index.ts";
import type { Health } from "./health.ts";
import type { HostedService, ServiceContext } from "./hosted-service.ts";
import { drainHttpServer, type ListenOptions } from "./http-server.ts";

/** The options of the listener. */
export interface HealthEndpointOptions extends ListenOptions {
  /** Whether answers list what was looked at. Default `false`. */
  readonly detail?: boolean;
  /** How late the event loop may be before `/livez` fails. Default 10 s. */
  readonly maxLag?: Duration;
}

/** Answers probes over HTTP. */
export class HealthEndpoint implements HostedService, AsyncDisposable {
  readonly #health: Health;
  readonly #options: HealthEndpointOptions;
  #server: Server | undefined;

  constructor(health: Health, options: HealthEndpointOptions) {
    this.#health = health;
    this.#options = options;
  }

  /** The port that it listens on, once it does. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  async starting(): Promise<void> {
    // Loaded here: a process that answers no probes has no use for the 13 MiB that node:http takes.
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      // Health itself never rejects: the prober has gone, or will ask again.
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    // A probe must never be what keeps the process alive.
    server.unref();
    const { port = 0, host = "127.0.0.1" } = this.#options;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  start(_signal: AbortSignal, context: ServiceContext): void {
    context.logger.info({ port: this.port }, "answering health probes");
  }

  stop(): void {
    // It answers until everything else has stopped.
  }

  async stopped(signal: AbortSignal): Promise<void> {
    await this.#drain(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drain(AbortSignal.abort());
  }

  async #drain(signal: AbortSignal): Promise<void> {
    if (this.#server !== undefined) await drainHttpServer(this.#server, { signal });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { detail } = this.#options;
    const url = new URL(request.url ?? "/", "http://localhost");
    const method = request.method === "HEAD" || request.method === "GET" ? request.method : "POST";
    const given = await this.#health.handler(new Request(url, { method }), detail === undefined ? {} : { detail });
    response.writeHead(given.status, Object.fromEntries(given.headers));
    response.end(await given.text());
  }
}
