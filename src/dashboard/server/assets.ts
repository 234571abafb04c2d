/**
 * The page's files. All of them are read once into a map: what is not in it cannot be asked for, whatever the path.
 * From sources (development) TypeScript is stripped to JavaScript on the way; a built package has JavaScript already.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { withSecurity } from "./headers.ts";

/** A file as it is sent. */
interface Asset {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The files by their address below the mount: `assets/main.js`; the page itself is `""`. */
export class Assets {
  readonly #files: ReadonlyMap<string, Asset>;

  private constructor(files: ReadonlyMap<string, Asset>) {
    this.#files = files;
  }

  /** Reads the folder `ui` beside this one. */
  static async load(): Promise<Assets> {
    const folder = fileURLToPath(new URL("../ui/", import.meta.url));
    const files = new Map<string, Asset>();
    for (const name of await readdir(folder, { recursive: true })) {
      const extension = extname(name);
      const path = name.split(sep).join("/");
      if (path === "index.html") files.set("", asset(await readFile(folder + name), ".html"));
      else if (extension === ".ts" && !name.endsWith(".d.ts")) {
        const source = await readFile(folder + name, "utf8");
        files.set(`assets/${path.slice(0, -3)}.js`, asset(Buffer.from(toJavaScript(source)), ".js"));
      } else if (extension in TYPES && extension !== ".html") {
        files.set(`assets/${path}`, asset(await readFile(folder + name), extension));
      }
    }
    return new Assets(files);
  }

  /** The answer for an address, or null when there is no such file. */
  respond(path: string, request: Request): Response | null {
    const file = this.#files.get(path);
    if (file === undefined) return null;
    // Asked for anew each time and answered from the browser's copy while unchanged: an upgrade never mixes versions.
    const headers = withSecurity({ "content-type": file.type, "cache-control": "no-cache", etag: file.etag });
    if (request.headers.get("if-none-match") === file.etag) return new Response(null, { status: 304, headers });
    return new Response(request.method === "HEAD" ? null : new Uint8Array(file.body), { headers });
  }
}

function asset(body: Buffer, extension: string): Asset {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { body, type: TYPES[extension] ?? "application/octet-stream", etag };
}

/** Types become blanks, and imports name the .js files. */
function toJavaScript(source: string): string {
  return stripTypeScriptTypes(source).replaceAll(/(from|import) "(\.[^"\n]+)\.ts"/g, '$1 "$2.js"');
}
