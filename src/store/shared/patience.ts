/** Times that a store hands on to timers and to its database, which take no longer ones. */
import { type Problems, show } from "../../errors/index.ts";
import { type Duration, parseDuration } from "../../time/index.ts";

/** The longest: timers of Node.js, `statement_timeout` and `busy_timeout` are 32 bits of milliseconds. */
const LONGEST = 2_147_483_647;

/** Whole milliseconds; 0, and a problem, for what cannot be used. */
export function patienceOf(value: Duration, what: string, problems: Problems): number {
  const milliseconds = problems.attempt(() => parseDuration(value, what)) ?? 0;
  if (milliseconds <= LONGEST) return Math.ceil(milliseconds);
  problems.add("NS_DURATION_INVALID", `${what} is ${show(value)}. Give at most 24d.`);
  return 0;
}
