/** The demo's own mail server, for machines without one: real SMTP on loopback, delivering into the inbox. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import type { Inbox } from "./inbox.ts";

/** Starts the server on a free port; the address is known when this resolves. */
export async function startSmtpServer(inbox: Inbox): Promise<SmtpServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData(stream, _session, callback) {
      buffer(stream)
        .then((message) => inbox.receive(message))
        .then(() => callback(), callback);
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  return new SmtpServer(server);
}

/** A running mail server. */
export class SmtpServer implements AsyncDisposable {
  readonly #server: SMTPServer;

  constructor(server: SMTPServer) {
    this.#server = server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}
