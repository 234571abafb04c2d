/**
 * A small pooler in transaction mode, as PgBouncer is one: clients share few server connections, each of which is lent
 * for one transaction. What a session would keep (LISTEN, prepared statements, settings) stays behind.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Pooler {
  readonly port: number;
  /** The most server connections that were lent at the same time. */
  mostLent(): number;
  close(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;
/** The only parameters that a pooler lets through at connect; others it refuses, as PgBouncer does. */
const ALLOWED = new Set(["user", "database", "application_name", "client_encoding"]);

/** Cuts a stream of bytes into messages: a type, a length, and what it says. The first of a client has no type. */
class Messages {
  #buffer = Buffer.alloc(0);
  #untyped: boolean;

  constructor(untyped: boolean) {
    this.#untyped = untyped;
  }

  *of(chunk: Buffer): Generator<{ readonly type: string; readonly bytes: Buffer }> {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const start = this.#untyped ? 0 : 1;
      if (this.#buffer.length < start + 4) return;
      const length = start + this.#buffer.readInt32BE(start);
      if (this.#buffer.length < length) return;
      const bytes = this.#buffer.subarray(0, length);
      this.#buffer = this.#buffer.subarray(length);
      if (this.#untyped) {
        const ssl = bytes.readInt32BE(4) === SSL_REQUEST;
        if (!ssl) this.#untyped = false;
        yield { type: ssl ? "ssl" : "startup", bytes };
      } else yield { type: String.fromCharCode(bytes[0] ?? 0), bytes };
    }
  }
}

function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

interface Server {
  readonly socket: Socket;
  /** Who has it now; what it says otherwise is lost. */
  client: Socket | null;
  /** Answers still to come. */
  owed: number;
}

/** Starts a pooler before the server on this port. */
export async function pooler(serverPort: number, size: number): Promise<Pooler> {
  const free: Server[] = [];
  const waiting: ((server: Server) => void)[] = [];
  const sockets = new Set<Socket>();
  let lent = 0;
  let mostLent = 0;

  const give = (server: Server) => {
    server.client = null;
    lent--;
    const next = waiting.shift();
    if (next) next(server);
    else free.push(server);
  };
  for (let n = 0; n < size; n++) free.push(await openServer(serverPort, sockets, give));

  const take = (): Promise<Server> => {
    const server = free.pop();
    return server ? Promise.resolve(server) : new Promise((resolve) => waiting.push(resolve));
  };
  const listener = createServer((client) => {
    sockets.add(client);
    client.setNoDelay(true);
    client.on("error", () => undefined);
    client.on("close", () => sockets.delete(client));
    const messages = new Messages(true);
    let server: Server | null = null;
    let work: Promise<void> = Promise.resolve();
    const serve = async (type: string, bytes: Buffer) => {
      if (type === "ssl") return void client.write("N");
      if (type === "startup") return welcome(client, bytes);
      if (type === "X") return void client.end();
      if (server === null || server.client !== client) {
        server = await take();
        server.client = client;
        mostLent = Math.max(mostLent, ++lent);
      }
      if (type === "Q" || type === "S") server.owed++;
      server.socket.write(bytes);
    };
    client.on("data", (chunk) => {
      for (const { type, bytes } of messages.of(chunk)) work = work.then(() => serve(type, bytes));
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The pooler has no port.");
  return {
    port: address.port,
    mostLent: () => mostLent,
    async close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, "close");
    },
  };
}

function welcome(client: Socket, bytes: Buffer): void {
  const texts = bytes.subarray(8).toString("utf8").split("\0");
  for (let index = 0; (texts[index] ?? "") !== ""; index += 2) {
    const name = texts[index] ?? "";
    if (ALLOWED.has(name)) continue;
    const fields = Buffer.from(`SFATAL\0C08P01\0Munsupported startup parameter: ${name}\0\0`);
    client.end(message("E", fields));
    return;
  }
  client.write(
    Buffer.concat([
      message("R", Buffer.alloc(4)),
      message("S", "client_encoding", "UTF8"),
      message("Z", Buffer.from("I")),
    ]),
  );
}

async function openServer(port: number, sockets: Set<Socket>, give: (server: Server) => void): Promise<Server> {
  const socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  const server: Server = { socket, client: null, owed: 0 };
  const messages = new Messages(false);
  const ready = Promise.withResolvers<void>();
  let greeting = true;
  socket.on("data", (chunk) => {
    for (const { type, bytes } of messages.of(chunk)) {
      if (greeting) {
        if (type === "Z") {
          greeting = false;
          ready.resolve();
        }
        continue;
      }
      server.client?.write(bytes);
      if (type === "Z" && --server.owed === 0 && String.fromCharCode(bytes[5] ?? 0) === "I" && server.client)
        give(server);
    }
  });
  const said = Buffer.from("user\0postgres\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeInt32BE(said.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  socket.write(Buffer.concat([head, said]));
  await ready.promise;
  return server;
}
