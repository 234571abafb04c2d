/** Ids of a store made of shards: the shard's name, and the id that the shard itself gave. Opaque to everybody else. */
import type { InstanceId } from "../contract.ts";

/** What a shard may be called: its name is part of ids, and stands before a dot. */
export const SHARD_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** The id outside of an id inside a shard. */
export function joinId(shard: string, id: string): string {
  return `${shard}.${id}`;
}

/** The parts of an id; null for text that is no id of such a store. */
export function splitId(id: string): { readonly shard: string; readonly id: string } | null {
  const dot = id.indexOf(".");
  return dot <= 0 ? null : { shard: id.slice(0, dot), id: id.slice(dot + 1) };
}

/** An instance is registered on each shard; its id lists them all. */
export function joinInstance(parts: Iterable<readonly [shard: string, id: InstanceId]>): InstanceId {
  return Array.from(parts, ([shard, id]) => joinId(shard, encodeURIComponent(id))).join(",");
}

/** The registrations that an instance's id lists; none for text that is no such id. */
export function splitInstance(instance: InstanceId): ReadonlyMap<string, InstanceId> {
  const parts = instance.split(",").map(splitId);
  try {
    return new Map(
      parts.flatMap((part) => (part === null ? [] : [[part.shard, decodeURIComponent(part.id)] as const])),
    );
  } catch {
    return new Map(); // a percent sign that encodes nothing: made up
  }
}

const MARK = /\+i([0-9a-f]{12})$/;

/**
 * A process has a registration on each shard, and people want to see one: a mark that all of them share is kept behind
 * the version, as semantic versioning keeps build metadata.
 */
export function markVersion(version: string, mark: string): string {
  return `${version}+i${mark}`;
}

/** The version without its mark, and the mark, if it has one. */
export function unmarkVersion(version: string): { readonly version: string; readonly mark: string | null } {
  const match = MARK.exec(version);
  return match ? { version: version.slice(0, match.index), mark: match[1] ?? null } : { version, mark: null };
}
