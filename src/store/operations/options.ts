/** The options of operations, checked before anything is opened. */
import { Problems, show } from "../../errors/index.ts";
import { hasMethods, isCallable, isFlag, optionsOf } from "../../errors/option-checks.ts";
import type { Store } from "../contract.ts";

/** What an operation may be told, and of which kind it is. */
const KINDS = {
  finished: isFlag,
  onJob: isCallable,
  onProgress: isCallable,
  signal(value: unknown, what: string, problems: Problems) {
    if (value instanceof AbortSignal) return;
    problems.add("NS_OPTION_INVALID", `${what} is ${show(value)}. Give an AbortSignal.`);
  },
} as const;

/** @throws NS_OPTION_UNKNOWN, NS_OPTION_INVALID, or one error that lists several */
export function checkOperation(
  what: string,
  stores: Readonly<Record<string, Store>>,
  options: object,
  known: readonly (keyof typeof KINDS)[],
): void {
  const problems = new Problems();
  const advice = 'Give a store: sqlite("app.db"), postgres(url) or memory().';
  for (const [role, store] of Object.entries(stores))
    hasMethods(store, ["readJobs"], `${what}: ${role}`, advice, problems);
  const given = optionsOf(options, what, problems) as Readonly<Record<string, unknown>>;
  problems.unknownOptions(what, given, known);
  for (const name of known) if (given[name] !== undefined) KINDS[name](given[name], `${what}: ${name}`, problems);
  problems.throwIfAny(what);
}
