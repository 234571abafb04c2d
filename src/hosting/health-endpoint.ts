/** The tiny listener for health probes. It listens before the first service starts and until the last has stopped. */
import { createServer, type Server } from "node:http";
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
  readonly #server: Server;
  readonly #listen: ListenOptions;

  constructor(health: Health, options: HealthEndpointOptions) {
    this.#listen = options;
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const asked = new Request(url, {
        method: request.method === "HEAD" || request.method === "GET" ? request.method : "POST",
      });
      const answer = async () => {
        const given = await health.handler(asked, options.detail === undefined ? {} : { detail: options.detail });
        response.writeHead(given.status, Object.fromEntries(given.headers));
        response.end(await given.text());
      };
      // Health itself never rejects: the prober has gone, or will ask again.
      answer().catch(() => response.destroy());
    });
    // A probe must never be what keeps the process alive.
    this.#server.unref();
  }

  /** The port that it listens on, once it does. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  async starting(): Promise<void> {
    const { port = 0, host = "127.0.0.1" } = this.#listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off("error", reject);
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
    await drainHttpServer(this.#server, { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await drainHttpServer(this.#server, { signal: AbortSignal.abort() });
  }
}
