/** What a retention asks for, state by state, in one shape. */
import { NightshiftError, show } from "../../errors/index.ts";
import { FINAL_STATES, type FinalState, type Keep, type Retention } from "../contract.ts";

/** A rule with nothing left open; null where that side keeps everything. */
export interface Rule {
  readonly state: FinalState;
  readonly age: number | null;
  readonly count: number | null;
}

/** The rules of the states that are not kept for ever. @throws NS_OPTION_INVALID */
export function rulesOf(retention: Retention): readonly Rule[] {
  return FINAL_STATES.flatMap((state) => {
    const keep = retention[state];
    if (keep === undefined) return [];
    const { age = null, count = null } = partsOf(keep);
    if (age !== null && !(age >= 0)) refuse(`${state}: age`, age, "Give milliseconds.");
    if (count !== null && !(Number.isInteger(count) && count >= 0)) refuse(`${state}: count`, count, "Give a number.");
    return age === null && count === null ? [] : [{ state, age, count }];
  });
}

function partsOf(keep: Keep): { readonly age?: number; readonly count?: number } {
  return typeof keep === "number" ? { age: keep } : keep;
}

function refuse(what: string, value: unknown, advice: string): never {
  throw new NightshiftError("NS_OPTION_INVALID", `retention: ${what} is ${show(value)}. ${advice}`);
}
