/** A TCP proxy of our own between a client and a server, that cuts, delays, swallows and half-closes on command. */

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What the proxy does with a chunk. */
export type Direction = "up" | "down";

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open now. */
  connections(): number;
  /** Cuts all connections, now. */
  cut(): void;
  /** Ends the server's side only: the client may go on sending into nothing. */
  halfClose(): void;
  /** From now on nothing gets through in this direction, and nobody is told. */
  swallow(direction: Direction): void;
  /** Each chunk waits so long. */
  delay(milliseconds: number): void;
  /** Once the next chunk for which this is true has gone up to the server, what comes back is cut off. */
  cutAfterSending(when: (chunk: Buffer) => boolean): void;
  /** What the server says goes on in pieces of so many bytes, each in a turn of its own; null for as it comes. */
  cutUp(size: (() => number) | null): void;
  /** Cuts a connection when the server has said so many more bytes on any: in the middle of a message, that is. */
  cutAfterHearing(bytes: number): void;
  /** From now on new connections go to this port, as when a name or a virtual address is moved. */
  retarget(port: number): void;
  /** Back to passing everything on. */
  heal(): void;
  close(): Promise<void>;
}

export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  const swallowed = new Set<Direction>();
  let target = targetPort;
  let wait = 0;
  let trap: ((chunk: Buffer) => boolean) | null = null;

  let size: (() => number) | null = null;
  let left = Number.POSITIVE_INFINITY;
  const passInPieces = async (pieceSize: () => number, chunk: Buffer, to: Socket) => {
    for (let at = 0; at < chunk.length && !to.destroyed; ) {
      const piece = chunk.subarray(at, at + pieceSize());
      to.write(piece);
      at += piece.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const pass = (direction: Direction, chunk: Buffer, to: Socket) => {
    if (swallowed.has(direction) || to.destroyed) return;
    if (wait === 0) to.write(chunk);
    else setTimeout(() => to.destroyed || to.write(chunk), wait);
  };
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let deaf = false;
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        // What is left of a pair while nothing gets through is still ours to end.
        if (pair.every(({ closed }) => closed)) pairs.delete(pair);
        for (const other of pair) if (other !== socket && !swallowed.size && !deaf) other.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (trap?.(chunk)) {
        trap = null;
        deaf = true;
        // The server does its work first: its answer is what gets lost.
        upstream.once("data", () => {
          client.destroy();
          upstream.end();
        });
        upstream.write(chunk);
        return;
      }
      pass("up", chunk, upstream);
    });
    let before = Promise.resolve();
    upstream.on("data", (chunk) => {
      if (deaf) return;
      if (chunk.length >= left) {
        const rest = chunk.subarray(0, left);
        left = Number.POSITIVE_INFINITY;
        deaf = true;
        client.end(rest);
        upstream.end();
        return;
      }
      left -= chunk.length;
      const pieceSize = size;
      if (pieceSize === null) pass("down", chunk, client);
      else before = before.then(() => passInPieces(pieceSize, chunk, client));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const everything = () => [...pairs].flat();
  return {
    port: address.port,
    connections: () => pairs.size,
    cut: () => everything().forEach((socket) => void socket.destroy()),
    halfClose: () => [...pairs].forEach(([client]) => void client.end()),
    swallow: (direction) => void swallowed.add(direction),
    delay: (milliseconds) => void (wait = milliseconds),
    cutAfterSending: (when) => void (trap = when),
    cutUp: (next) => void (size = next),
    cutAfterHearing: (bytes) => void (left = bytes),
    retarget: (port) => void (target = port),
    heal() {
      swallowed.clear();
      wait = 0;
      trap = null;
      size = null;
      left = Number.POSITIVE_INFINITY;
    },
    async close() {
      server.close();
      everything().forEach((socket) => void socket.destroy());
      await once(server, "close");
    },
  };
}
