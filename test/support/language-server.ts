/** The compiler's language server, asked as an editor asks it: what may follow here, and what is said of it. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { root } from "./snippets.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
}

/** What an editor offers at a place. */
export interface Offer {
  readonly label: string;
  /** What it shows beside it; empty when the declaration says nothing. */
  readonly documentation: string;
}

interface Completions {
  readonly items: readonly { readonly label: string }[];
}

export class LanguageServer implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #received = Buffer.alloc(0);
  #asked = 0;

  private constructor() {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    this.#child = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    const completionItem = { documentationFormat: ["markdown"], resolveSupport: { properties: ["documentation"] } };
    const capabilities = { textDocument: { completion: { completionItem } } };
    await server.#ask("initialize", { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  /** What is offered where `|` stands in the text, as if it were a file of this repository's. */
  async offers(name: string, marked: string): Promise<readonly Offer[]> {
    const before = marked.slice(0, marked.indexOf("|"));
    const uri = pathToFileURL(join(root, "test", "package", name)).href;
    const textDocument = { uri, languageId: "typescript", version: 1, text: marked.replace("|", "") };
    this.#send({ method: "textDocument/didOpen", params: { textDocument } });
    const lines = before.split("\n");
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const { items } = (await this.#ask("textDocument/completion", { textDocument: { uri }, position })) as Completions;
    const offers = items.map(async (item) => {
      const told = (await this.#ask("completionItem/resolve", item)) as { documentation?: { value: string } };
      return { label: item.label.replace(/\?$/, ""), documentation: told.documentation?.value ?? "" };
    });
    return Promise.all(offers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await ended;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#asked;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#send({ id, method, params });
    return answer;
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const head = this.#received.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString("utf8", 0, Math.max(0, head)))?.[1]);
      const end = head + 4 + length;
      if (head < 0 || this.#received.length < end) return;
      const message = JSON.parse(this.#received.toString("utf8", head + 4, end)) as Message;
      this.#received = this.#received.subarray(end);
      if (message.id === undefined) continue;
      if (message.method === undefined) this.#waiting.get(message.id)?.(message.result);
      // It asks the editor for its configuration, of which there is none.
      else this.#send({ id: message.id, result: null });
    }
  }
}
