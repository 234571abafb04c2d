/** `postgres({ shards: [...] })`: several databases as one store, each queue in one of them. */
import { Problems, show } from "../../errors/index.ts";
import { isFlag, optionsOf } from "../../errors/option-checks.ts";
import type { Store } from "../contract.ts";
import { checkNames, ShardedStore } from "../sharded/index.ts";
import {
  KNOWN,
  type PostgresCommonOptions,
  type PostgresOptions,
  type Settings,
  SHARDS_ONLY,
  settingsOf,
} from "./options.ts";
import { PostgresStore } from "./store.ts";

/** One database of several. */
export interface PostgresShard extends PostgresOptions {
  /**
   * Its name for good: part of ids, and what decides which queues live here. Small letters, digits, `-` and `_`, at most
   * 32.
   */
  readonly name: string;
  /** It takes no new queues any more, and is worked off: the step before it is taken out of the list. Default `false`. */
  readonly draining?: boolean;
}

/**
 * Options of {@link postgres} with several databases. What stands beside `shards` (schema, connections, timeouts, …)
 * holds for each of them that does not say otherwise.
 */
export interface PostgresShardsOptions extends PostgresCommonOptions {
  /** The databases. The same list in every process; its order does not count. */
  readonly shards: readonly PostgresShard[];
  /** Queues that live on a certain shard; all others are spread by their names. */
  readonly queues?: Readonly<Record<string, string>>;
  /** The shard that keeps who leads. Default: it stays where it is; at first the first of the list. */
  readonly leader?: string;
}

/** What may hold for all of them: anything but where one is. */
const COMMON = KNOWN.filter((option) => !["connectionString", "pool", "listenConnectionString"].includes(option));

/** Whether options are for several databases, or meant to be. */
export function hasShards(options: object): options is PostgresShardsOptions {
  return SHARDS_ONLY.some((name) => name in options);
}

/** @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, or NS_BUILD_INVALID that lists several */
export function shardedPostgres(options: PostgresShardsOptions): Store {
  const problems = new Problems();
  const { shards: given, queues: pins = {}, leader = null, ...common } = options;
  problems.unknownOptions("postgres()", options, [...SHARDS_ONLY, ...COMMON]);
  const queues = optionsOf(pins, "postgres(): queues", problems);
  if (!Array.isArray(given) || given.length === 0 || !given.every(isObject)) {
    const advice = "Give a list of databases, each { name, connectionString }.";
    problems.add("NS_OPTION_INVALID", `postgres(): shards is ${show(given)}. ${advice}`);
    problems.throwIfAny("postgres()");
  }
  const list: readonly PostgresShard[] = given;
  for (const { name, draining = false } of list) {
    isFlag(draining, `postgres(): shard ${show(name)}: draining`, problems);
  }
  checkNames(problems, "postgres()", {
    shards: list.map(({ name, draining = false }) => ({ name, draining })),
    ...{ queues, leader },
  });
  const settings = list.map(({ name, draining, ...own }) =>
    problems.attempt(() =>
      settingsOf({ ...pick(common), ...own }, `postgres(): shard ${show(name)}`, ["name", "draining"]),
    ),
  );
  refuseDuplicates(problems, list, settings);
  problems.throwIfAny("postgres()");
  const shards = list.map(({ name, draining = false }, index) => {
    const store = new PostgresStore(settings[index] as Settings);
    return { name, draining, store, owns: (tx: unknown) => store.owns(tx) };
  });
  return new ShardedStore({ shards, queues: new Map(Object.entries(queues)), leader });
}

function refuseDuplicates(
  problems: Problems,
  list: readonly PostgresShard[],
  settings: readonly (Settings | undefined)[],
): void {
  const places = new Map<string, string>();
  for (const [index, one] of settings.entries()) {
    if (one === undefined) continue;
    const name = list[index]?.name ?? "";
    const other = places.get(one.location);
    if (other === undefined) places.set(one.location, name);
    else {
      const message = `postgres(): shards ${show(other)} and ${show(name)} are both at ${one.location}. Each needs a database or a schema of its own.`;
      problems.add("NS_OPTION_INVALID", message);
    }
  }
}

/** What holds for all, without names that are not known: those are told of once. */
function pick(common: Readonly<Record<string, unknown>>): PostgresOptions {
  return Object.fromEntries(Object.entries(common).filter(([key]) => COMMON.includes(key)));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
