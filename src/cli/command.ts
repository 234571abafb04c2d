/** What a subcommand is, and how its arguments are read. */
import { parseArgs } from "node:util";
import { didYouMean, NightshiftError, show } from "../errors/index.ts";
import type { Clock } from "../time/index.ts";

/** What a command may touch of the world. */
export interface Terminal {
  readonly input: AsyncIterable<string | Uint8Array>;
  /** Writes to standard output; resolves when it takes more. */
  write(text: string): Promise<void>;
  /** Says something to the person, beside the output. */
  say(line: string): void;
  readonly clock: Clock;
}

/** A subcommand. */
export interface Command {
  /** What it does, in half a line. */
  readonly about: string;
  /** How it is called, and what its options mean. */
  readonly usage: string;
  /** Does it; returns the exit code. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** Options of a command: those with a value, and those without. */
export interface OptionNames {
  readonly values: readonly string[];
  readonly flags?: readonly string[];
}

/** What was typed. */
export interface Arguments {
  /** The value of an option; undefined when it was left out. */
  value(name: string): string | undefined;
  flag(name: string): boolean;
  readonly positionals: readonly string[];
}

/**
 * Reads arguments.
 *
 * @throws NS_OPTION_UNKNOWN with the nearest option, NS_OPTION_INVALID for one without its value
 */
export function readArguments(args: readonly string[], names: OptionNames, usage: string): Arguments {
  const { values, flags = [] } = names;
  const options = Object.fromEntries([
    ...values.map((name) => [name, { type: "string" }] as const),
    ...flags.map((name) => [name, { type: "boolean" }] as const),
  ]);
  const parsed = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    if (!(token.name in options)) {
      const near = didYouMean(token.name, [...values, ...flags])
        .replaceAll('"', "")
        .replace("mean ", "mean --");
      throw new NightshiftError("NS_OPTION_UNKNOWN", `${token.rawName} is not an option.${near}\n\n${usage}`);
    }
    if (values.includes(token.name) && (token.value === undefined || token.value === "")) {
      throw new NightshiftError("NS_OPTION_INVALID", `${token.rawName} needs a value.\n\n${usage}`);
    }
    if (flags.includes(token.name) && token.value !== undefined) {
      throw new NightshiftError("NS_OPTION_INVALID", `${token.rawName} takes no value, got ${show(token.value)}.`);
    }
  }
  return {
    value: (name) => parsed.values[name] as string | undefined,
    flag: (name) => parsed.values[name] === true,
    positionals: parsed.positionals,
  };
}

/** The value of an option that cannot be left out. */
export function needed(args: Arguments, name: string, usage: string): string {
  const value = args.value(name);
  if (value !== undefined) return value;
  throw new NightshiftError("NS_OPTION_INVALID", `--${name} is missing.\n\n${usage}`);
}

/** Refuses words that belong to no option. */
export function noPositionals({ positionals }: Arguments, usage: string): void {
  const [first] = positionals;
  if (first === undefined) return;
  const advice = usage.includes("--store") ? " A store is given as --store sqlite:shop.db." : "";
  throw new NightshiftError(
    "NS_OPTION_INVALID",
    `${shownWord(first, "What was given")} belongs to no option.${advice}\n\n${usage}`,
  );
}

/** A word that was typed, for an error; in its place something else where it may be an address with a password. */
export function shownWord(word: string, otherwise: string): string {
  return /:.*@|password|pwd=/is.test(word) ? otherwise : show(word);
}
