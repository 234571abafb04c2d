/**
 * What PostgreSQL sends, read into room that stays. The driver's own way makes a buffer of 64 KiB for each read and, for an
 * answer that comes in several, ever larger ones to join them in: half a kilobyte for each job of a drain, which V8 counts
 * with its old objects and therefore collects all of them every 100,000 jobs (decision 064).
 */
import type { EventEmitter } from "node:events";
import { Socket } from "node:net";
import type { PgModule } from "./driver.ts";
import { asError } from "./failures.ts";

/** A message is a letter and a length, which counts itself and not the letter. */
const HEAD = 5;
/** The least room for a read. */
const READ = 64 * 1024;
/** Room beyond this is not kept once an answer was larger. */
const KEPT = 1024 * 1024;

/**
 * What `pg` takes as its option `stream`: a socket that tells of whole messages only, so that the driver has used what it
 * hears before the next read. Where the connection is to be encrypted it is a socket as any other.
 */
export function incoming({ ssl }: { readonly ssl?: unknown }): Socket {
  if (ssl) return new Socket();
  const messages = new Messages();
  const callback = (bytes: number) => {
    try {
      messages.arrived(bytes, (whole) => socket.emit("data", whole));
      return true;
    } catch (error) {
      // The driver throws at what it cannot read, an answer it does not know say; nobody above could catch it.
      socket.destroy(asError(error));
      return false;
    }
  };
  const socket = new Socket({ onread: { buffer: () => messages.room(), callback } });
  return socket;
}

/** What `pg` takes as its option `Client`: its own, which reads an encrypted connection with the same care. */
export function careful(Client: PgModule["Client"]): PgModule["Client"] {
  return class extends Client {
    constructor(config: object) {
      super(config);
      const { connection } = this as { readonly connection?: EventEmitter & { readonly stream: Socket } };
      connection?.once("sslconnect", () => readWithCare(connection.stream));
    }
  };
}

/** What a listener for data throws ends the connection, and not the process. */
function readWithCare(stream: Socket): void {
  for (const listener of stream.listeners("data") as ((data: Buffer) => void)[]) {
    stream.removeListener("data", listener);
    stream.on("data", (data: Buffer) => {
      try {
        listener.call(stream, data);
      } catch (error) {
        stream.destroy(asError(error));
      }
    });
  }
}

/** Bytes as they come in, until they are whole messages. */
export class Messages {
  #buffer = Buffer.allocUnsafeSlow(READ);
  /** Bytes that are there. */
  #end = 0;
  /** Where the first message begins whose end is not there. */
  #next = 0;

  /** Where the next bytes are to be put. */
  room(): Buffer {
    if (this.#buffer.length - this.#end < READ) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#end + READ));
      this.#buffer.copy(larger, 0, 0, this.#end);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#end);
  }

  /** So many came. What they make whole is told of at once, and overwritten afterwards. */
  arrived(bytes: number, tell: (whole: Buffer) => void): void {
    this.#end += bytes;
    while (this.#end - this.#next >= HEAD) {
      const length = this.#buffer.readInt32BE(this.#next + 1);
      if (length < HEAD - 1)
        throw new Error(`The connection carries no messages of PostgreSQL: a length of ${length}.`);
      const after = this.#next + 1 + length;
      if (after > this.#end) break;
      this.#next = after;
    }
    if (this.#next === 0) return;
    try {
      tell(this.#buffer.subarray(0, this.#next));
    } finally {
      this.#buffer.copyWithin(0, this.#next, this.#end);
      this.#end -= this.#next;
      this.#next = 0;
      if (this.#end === 0 && this.#buffer.length > KEPT) this.#buffer = Buffer.allocUnsafeSlow(READ);
    }
  }
}
