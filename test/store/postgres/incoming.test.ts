/** Messages are told whole, however the network cuts them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import fc from "fast-check";
import pg from "pg";
import { careful, incoming, Messages } from "../../../src/store/postgres/incoming.ts";
import { selfSigned } from "../../support/certificate.ts";

function message(letter: string, length: number): Buffer {
  const bytes = Buffer.alloc(1 + 4 + length, letter.toLowerCase());
  bytes.write(letter, 0);
  bytes.writeInt32BE(4 + length, 1);
  return bytes;
}

/** Parts what was told into messages; throws where one is not whole. */
function messagesIn(told: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < told.length; ) {
    const after = at + 1 + told.readInt32BE(at + 1);
    assert.ok(after <= told.length, "a message was told before its end had come");
    found.push(told.toString("latin1", at, after));
    at = after;
  }
  return found;
}

test("messages cut anywhere are told whole, in order, each once", () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(65_530, 70_000, 300_000)), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 65_536 }), { minLength: 1 }), (given, cuts) => {
      const sent = given.map((length, index) => message("ABCDEFGH"[index] as string, length));
      const stream = Buffer.concat(sent);
      const messages = new Messages();
      const heard: string[] = [];
      let cut = 0;
      for (let at = 0; at < stream.length; ) {
        const room = messages.room();
        const bytes = Math.min(cuts[cut++ % cuts.length] as number, room.length, stream.length - at);
        stream.copy(room, 0, at, at + bytes);
        at += bytes;
        messages.arrived(bytes, (whole) => heard.push(...messagesIn(whole)));
      }
      assert.deepEqual(
        heard,
        sent.map((bytes) => bytes.toString("latin1")),
      );
    }),
    { numRuns: 200 },
  );
});

test("a listener that throws does not make bytes be told twice", () => {
  const messages = new Messages();
  const feed = (bytes: Buffer, tell: (whole: Buffer) => void) => {
    bytes.copy(messages.room());
    messages.arrived(bytes.length, tell);
  };
  assert.throws(() =>
    feed(message("A", 3), () => {
      throw new Error("broken");
    }),
  );
  const heard: string[] = [];
  feed(message("B", 2), (whole) => heard.push(...messagesIn(whole)));
  assert.deepEqual(heard, [message("B", 2).toString("latin1")]);
});

test("a real socket tells of nothing until a message is whole, and of its end", async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const socket = incoming({});
  const heard: string[] = [];
  socket.on("data", (whole: Buffer) => heard.push(...messagesIn(whole)));
  socket.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [peer] = await accepted;
  const large = message("L", 500_000);
  peer.write(message("S", 1));
  for (let at = 0; at < large.length; at += 99_991) peer.write(large.subarray(at, at + 99_991));
  peer.end(large.subarray(0, 3));
  await once(socket, "close");
  assert.deepEqual(heard, [message("S", 1).toString("latin1"), large.toString("latin1")]);
});

test("a connection that is to be encrypted is read as ever: the answer to that question is no message", async () => {
  await using server = createServer((peer) => peer.end("N")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = incoming({ ssl: true });
  socket.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.toString(), "N");
  socket.destroy();
});

test("a server that says what the driver cannot read is an error of its connection, and not of the process", async () => {
  const gssapi = Buffer.from(["R".charCodeAt(0), 0, 0, 0, 8, 0, 0, 0, 7]);
  await using server = createServer((peer) => {
    peer.on("error", () => undefined);
    peer.once("data", () => peer.write(gssapi));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new pg.Client({ host: "127.0.0.1", port, user: "shop", stream: () => incoming({}) });
  await assert.rejects(client.connect(), /Unknown authenticationOk message type 7/);
});

test("bytes that can be no message are an error of the connection at once, which nobody waits for", async () => {
  for (const length of [0, 3, -1, -2_147_483_648]) {
    await using server = createServer((peer) => {
      peer.on("error", () => undefined);
      peer.once("data", () => {
        const bytes = message("S", 10);
        bytes.writeInt32BE(length, 1);
        peer.write(bytes);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = new pg.Client({ host: "127.0.0.1", port, user: "shop", stream: () => incoming({}) });
    await assert.rejects(client.connect(), new RegExp(`no messages of PostgreSQL: a length of ${length}\\.`));
  }
});

test("what the driver cannot read is an error of its connection over TLS, too", async () => {
  const { key, cert } = selfSigned();
  const gssapi = Buffer.from(["R".charCodeAt(0), 0, 0, 0, 8, 0, 0, 0, 7]);
  await using server = createServer((peer) => {
    peer.on("error", () => undefined);
    peer.once("data", () => {
      peer.write("S");
      const secure = new TLSSocket(peer, { isServer: true, key, cert });
      secure.on("error", () => undefined);
      secure.once("data", () => secure.write(gssapi));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const Client = careful(pg.Client) as typeof pg.Client;
  const client = new Client({ host: "127.0.0.1", port, user: "shop", ssl: { rejectUnauthorized: false } });
  await assert.rejects(client.connect(), /Unknown authenticationOk message type 7/);
});

test("the room that a large answer needed is let go after it", () => {
  const messages = new Messages();
  const large = message("L", 5_000_000);
  for (let at = 0; at < large.length; ) {
    const bytes = large.copy(messages.room(), 0, at);
    at += bytes;
    messages.arrived(bytes, () => undefined);
  }
  assert.equal(messages.room().buffer.byteLength, 64 * 1024);
});
