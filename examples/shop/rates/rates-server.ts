/** The demo's own source of exchange rates: an HTTP API somewhere else, which fails now and then as such things do. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Starts the server on a free port. Every third request fails. */
export async function startRatesServer(): Promise<RatesServer> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    if (requests % 3 === 0) {
      response.writeHead(503, { "content-type": "text/plain", connection: "close" }).end("come back later");
      return;
    }
    const wobble = () => 1 + (Math.random() - 0.5) / 50;
    const rates = { EUR: 0.92 * wobble(), NOK: 10.6 * wobble(), JPY: 151 * wobble() };
    response
      .writeHead(200, { "content-type": "application/json", connection: "close" })
      .end(JSON.stringify({ base: "USD", rates }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new RatesServer(server);
}

/** A running source of rates. */
export class RatesServer implements AsyncDisposable {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/latest`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
