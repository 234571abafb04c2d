/** What `H` stands for: spread by the schedule's key, the same on every machine and after every restart. */
import { stableHash } from "../stable-hash.ts";
import type { FieldKind } from "./fields.ts";
import { fieldsOf } from "./fields.ts";
import type { Item } from "./items.ts";
import type { ParsedCron } from "./parse.ts";

/** The expression with every `H` replaced by what the key makes of it. A step stays a step. */
export function resolveHashes(parsed: ParsedCron, key: string): ParsedCron {
  const fields = { ...parsed.fields };
  for (const kind of fieldsOf(parsed.dialect)) {
    fields[kind.name] = fields[kind.name].map((item) => (item.kind === "hash" ? resolve(item, kind, key) : item));
  }
  return { ...parsed, fields };
}

function resolve(item: Item & { kind: "hash" }, field: FieldKind, key: string): Item {
  const { from, to, step } = item;
  const hash = stableHash(`${key}\n${field.name}`);
  if (step === 0) return { kind: "value", value: from + (hash % (to - from + 1)) };
  const first = from + (hash % Math.min(step, to - from + 1));
  return { kind: "range", from: first, to, step, open: false };
}
