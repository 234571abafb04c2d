/** The shop's web server as a hosted service: listens on loopback, and lets requests in flight end when it stops. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type HostedService, Logger, token } from "nightshift";
import { Settings } from "../settings.ts";

/** Anything that answers requests in the web's own terms, such as a Hono application. */
export interface Fetcher {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

/** The application that the web server serves. */
export const WebApp = token<Fetcher>("WebApp");

export class WebServer implements HostedService {
  static readonly inject = [WebApp, Settings, Logger] as const;
  readonly #server: ReturnType<typeof createAdaptorServer>;
  readonly #port: number;
  readonly #logger: Logger;

  constructor(app: Fetcher, settings: Settings, logger: Logger) {
    this.#server = createAdaptorServer({ fetch: app.fetch });
    this.#port = settings.port;
    this.#logger = logger;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") throw error;
      const advice = `PORT=${this.#port + 1} npm start`;
      throw new Error(`Port ${this.#port} is taken by another program. Try: ${advice}`, { cause: error });
    });
    this.#logger.info(`the shop is at ${this.url}, its mail at ${this.url}/inbox, its jobs at ${this.url}/jobs/`);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Kept-alive connections become idle one by one; each must be closed then, or the last of them holds the stop up.
    const sweep = setInterval(() => "closeIdleConnections" in this.#server && this.#server.closeIdleConnections(), 50);
    await closed.finally(() => clearInterval(sweep));
  }
}
