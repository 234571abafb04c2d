/**
 * Up to which end the finished jobs of each state are beyond their retention. An age is a subtraction; the newest n are
 * counted from the present back, day by day, which costs as much as n is large and so is not done with each slice.
 */
import { FINAL_STATES, type FinalState } from "../contract.ts";
import type { Rule } from "../shared/retention.ts";
import { run, type Session } from "./session.ts";

/** An end in the history: what ended at it or before is beyond. */
export interface Cut {
  readonly at: number;
  readonly job: string;
}

const LAST_JOB = "9223372036854775807";
const LETTERS = { succeeded: "S", dead: "D", cancelled: "C" } as const;
/** Counting takes at most about a fiftieth of the time. */
const SHARE = 50;

export class Cuts {
  readonly #session: Session;
  readonly #counted = new Map<FinalState, { readonly cut: Cut | null; readonly until: number; done: boolean }>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** In the order of the states; null where nothing is beyond. */
  async of(rules: readonly Rule[]): Promise<readonly (Cut | null)[]> {
    const [row] = await run(this.#session, "now", `select ${this.#session.s}.now_ms()`, []);
    const now = Number(row?.[0]);
    const cuts: (Cut | null)[] = [];
    for (const state of FINAL_STATES) {
      const rule = rules.find((one) => one.state === state);
      const old = rule === undefined || rule.age === null ? null : { at: Math.floor(now - rule.age), job: LAST_JOB };
      const many = rule === undefined || rule.count === null ? null : await this.#byCount(state, rule.count);
      cuts.push(later(old, many));
    }
    return cuts;
  }

  /** Nothing is left up to the cuts: the next call may count again. */
  reached(): void {
    for (const counted of this.#counted.values()) counted.done = true;
  }

  async #byCount(state: FinalState, count: number): Promise<Cut | null> {
    const { clock } = this.#session;
    const kept = this.#counted.get(state);
    if (kept !== undefined && !(kept.done && clock.monotonic() >= kept.until)) return kept.cut;
    const started = clock.monotonic();
    const cut = await this.#endBehind(LETTERS[state], count);
    const took = clock.monotonic() - started;
    this.#counted.set(state, { cut, until: started + took * SHARE, done: cut === null });
    return cut;
  }

  /** The newest end that is not among the newest `count`. */
  async #endBehind(letter: string, count: number): Promise<Cut | null> {
    const { s } = this.#session;
    let left = count;
    // The letter is written out: a parameter would hide the partial index on ends that are not successes.
    const ofDay = `from ${s}.finished f where f.state = '${letter}' and f.day >= $1 and f.day < $2`;
    for (const [from, to] of await this.#days()) {
      const range = [from, to];
      const [row] = await run(this.#session, `count_day_${letter}`, `select count(*) ${ofDay}`, range);
      const inDay = Number(row?.[0]);
      if (inDay > left) {
        const text = `select f.at, f.job_id ${ofDay} order by f.at desc, f.job_id desc offset $3 limit 1`;
        const [end] = await run(this.#session, `nth_end_${letter}`, text, [...range, left]);
        // Between the two somebody else may have pruned.
        return end === undefined ? null : { at: Number(end[0]), job: end[1] ?? "0" };
      }
      left -= inDay;
    }
    return null;
  }

  /** Ranges of days that have partitions, newest first; what stands in the default partition is older, or between. */
  async #days(): Promise<readonly (readonly [from: number, to: number])[]> {
    const text = `select substr(c.relname, 11)::int from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass and c.relname ~ '^finished_p[0-9]+$' order by 1 desc`;
    const days = (await run(this.#session, "days", text, [`${this.#session.s}.finished`])).map(([day]) => Number(day));
    const last = 2_147_483_647;
    return [...days.map((day, index) => [day, days[index - 1] ?? last] as const), [0, days.at(-1) ?? last] as const];
  }
}

function later(a: Cut | null, b: Cut | null): Cut | null {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return BigInt(a.job) > BigInt(b.job) ? a : b;
}
