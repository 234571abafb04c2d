/** Stores as they are written on a command line: `sqlite:shop.db`, `postgres://app@db/shop`, `shards:shards.json`. */
import { existsSync, readFileSync } from "node:fs";
import { messageOf, NightshiftError } from "../errors/index.ts";
import type { Store } from "../store/contract.ts";
import { type PostgresShardsOptions, postgres } from "../store/postgres/index.ts";
import { sqlite } from "../store/sqlite/index.ts";
import { shownWord } from "./command.ts";

export const ADDRESSES = `A store is sqlite:<path> or postgres://user@host:port/database; for PostgreSQL --schema names another schema than nightshift. A password may come from PGPASSWORD. Several databases are shards:<file>, with what postgres({ shards }) takes as JSON.`;

/** A store's address, taken apart. */
export type Address =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "shards"; readonly options: PostgresShardsOptions }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string };

/** @throws NS_OPTION_INVALID; a URL is not shown, since it may hold a password */
export function readAddress(text: string, schema: string | undefined): Address {
  if (/^postgres(ql)?:\/\//.test(text)) return { kind: "postgres", url: text, schema: schema ?? "nightshift" };
  if (schema !== undefined) throw new NightshiftError("NS_OPTION_INVALID", "--schema is for PostgreSQL only.");
  if (text.startsWith("sqlite:")) return { kind: "sqlite", path: text.replace(/^sqlite:(\/\/)?/, "") };
  if (text.startsWith("shards:")) return { kind: "shards", options: readShards(text.slice("shards:".length)) };
  const hint = existsSync(text) ? ` For the file ${text}, write sqlite:${text}.` : "";
  throw new NightshiftError(
    "NS_OPTION_INVALID",
    `${shownWord(text, "what was given")} is not a store.${hint} ${ADDRESSES}`,
  );
}

/** A file with the options of `postgres({ shards })`; what is wrong with them, that says. */
function readShards(path: string): PostgresShardsOptions {
  const wanted = '{ "shards": [{ "name": "one", "connectionString": "postgres://..." }] }';
  let options: unknown;
  try {
    options = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const said = cause instanceof SyntaxError ? "is not JSON" : `cannot be read (${messageOf(cause)})`;
    throw new NightshiftError("NS_OPTION_INVALID", `${path} ${said}. Give a file with ${wanted}.`, { cause });
  }
  if (typeof options === "object" && options !== null && "shards" in options) return options as PostgresShardsOptions;
  throw new NightshiftError("NS_OPTION_INVALID", `${path} has no list of shards. Give a file with ${wanted}.`);
}

/** How a store is to be opened by a command. */
export interface Opening {
  /** It must be there already: a mistyped path must not become a new, empty store. */
  readonly existing: boolean;
  /** May take long: whole tables are read. */
  readonly patient?: boolean;
}

/** The store at an address, not yet open. */
export function storeAt(address: Address, { existing, patient = false }: Opening): Store {
  if (address.kind === "sqlite") {
    if (existing) mustExist(address.path);
    return sqlite({ path: address.path });
  }
  const times = patient ? ({ statementTimeout: "30m" } as const) : {};
  const common = { connections: 4, applicationName: "nightshift command", migrate: !existing, ...times };
  if (address.kind === "shards") return postgres({ ...address.options, ...common });
  return postgres({ connectionString: address.url, schema: address.schema, ...common });
}

/** @throws NS_STORE_UNAVAILABLE */
export function mustExist(path: string): void {
  if (existsSync(path)) return;
  throw new NightshiftError("NS_STORE_UNAVAILABLE", `${path} does not exist. Give the path of an existing file.`);
}
