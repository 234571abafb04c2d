/** What a store of several is made of: the shards, pinned queues, and who keeps the leaders. */
import { didYouMean, type Problems, show } from "../../errors/index.ts";
import { SHARD_NAME } from "./ids.ts";
import { Routing } from "./routing.ts";
import type { ShardSpec } from "./shard.ts";

/** Options with nothing left open. */
export interface Settings {
  readonly shards: readonly ShardSpec[];
  /** Pinned queues. */
  readonly queues: ReadonlyMap<string, string>;
  /** The shard that keeps who leads; null to leave it where it is. */
  readonly leader: string | null;
}

/** What is checked of the names, before anything is made of the shards. */
export interface NamedShards {
  readonly shards: readonly { readonly name: string; readonly draining: boolean }[];
  readonly queues: Readonly<Record<string, string>>;
  readonly leader: string | null;
}

/** Adds what is wrong with names, pins and leader. */
export function checkNames(problems: Problems, what: string, { shards, queues, leader }: NamedShards): void {
  const names = shards.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (typeof name !== "string" || !SHARD_NAME.test(name)) {
      const rule = "Give up to 32 small letters, digits, - and _, beginning with a letter or a digit.";
      problems.add("NS_OPTION_INVALID", `${what}: shards[${index}].name is ${show(name)}. ${rule}`);
    } else if (names.indexOf(name) < index) {
      problems.add("NS_OPTION_INVALID", `${what}: two shards are named ${show(name)}. Give each its own name.`);
    }
  }
  if (!shards.some(({ draining }) => !draining)) {
    problems.add("NS_OPTION_INVALID", `${what}: no shard takes new jobs. Give at least one that is not draining.`);
  }
  const known = (role: string, name: string) => {
    const shard = shards.find((shard) => shard.name === name);
    if (shard === undefined) {
      problems.add(
        "NS_OPTION_INVALID",
        `${what}: ${role} is ${show(name)}, which is no shard.${didYouMean(name, names)}`,
      );
    } else if (shard.draining) {
      problems.add("NS_OPTION_INVALID", `${what}: ${role} is ${show(name)}, which is draining. Choose another shard.`);
    }
  };
  for (const [queue, name] of Object.entries(queues)) known(`queues[${show(queue)}]`, name);
  if (leader !== null) known("leader", leader);
}

export function routingOf({ shards, queues }: Settings): Routing {
  const list = shards.map(({ name, draining = false }) => ({ name, draining }));
  return new Routing(list, queues);
}
