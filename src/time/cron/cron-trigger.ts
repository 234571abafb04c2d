/** A cron expression in a time zone, as a trigger. */
import { NightshiftError } from "../../errors/index.ts";
import { RuleTrigger } from "../rule-trigger.ts";
import type { TriggerJSON } from "../trigger.ts";
import { zoneOf } from "../zone.ts";
import { type GapRule, ZonedSearch } from "../zoned-search.ts";
import { WallClockRule } from "./compile.ts";
import { describeCron } from "./describe.ts";
import type { CronDialect } from "./fields.ts";
import { resolveHashes } from "./hash.ts";
import { formatCron, needsHashKey, type ParsedCron } from "./parse.ts";

/** Everything that makes a cron trigger what it is. */
export interface CronRule {
  readonly parsed: ParsedCron;
  readonly timeZone: string;
  readonly gap: GapRule;
}

/** A cron expression in a time zone. Made with `cron()`. */
export class CronTrigger extends RuleTrigger {
  readonly #rule: CronRule;
  /** Undefined as long as an `H` waits for its key. */
  readonly #search: ZonedSearch | undefined;

  constructor(rule: CronRule, hashKey?: string) {
    super();
    const parsed = hashKey === undefined ? rule.parsed : resolveHashes(rule.parsed, hashKey);
    this.#rule = { ...rule, parsed };
    const zone = zoneOf(rule.timeZone);
    this.#search = needsHashKey(parsed) ? undefined : new ZonedSearch(zone, new WallClockRule(parsed), rule.gap);
  }

  override withHashKey(key: string): CronTrigger {
    return this.#search === undefined ? new CronTrigger(this.#rule, key) : this;
  }

  atOrAfter(instant: number): number | undefined {
    return this.#ready().atOrAfter(instant);
  }

  atOrBefore(instant: number): number | undefined {
    return this.#ready().atOrBefore(instant);
  }

  describe(locale?: string): string {
    return describeCron(this.#rule.parsed, this.#rule.timeZone, locale);
  }

  toString(): string {
    const { parsed, timeZone, gap } = this.#rule;
    const dialect = parsed.dialect === "unix" ? "" : ` (${parsed.dialect})`;
    const rule = gap === defaultGap(parsed.dialect) ? "" : ` gap ${gap}`;
    return `${formatCron(parsed)}${timeZone === "UTC" ? "" : ` in ${timeZone}`}${dialect}${rule}`;
  }

  toJSON(): TriggerJSON {
    const { parsed, timeZone, gap } = this.#rule;
    return { type: "cron", expression: formatCron(parsed), timeZone, dialect: parsed.dialect, gap };
  }

  #ready(): ZonedSearch {
    if (this.#search) return this.#search;
    const ways = "Give cron() a hashKey, such as the schedule's id.";
    throw new NightshiftError(
      "NS_CRON_SYNTAX",
      `"${formatCron(this.#rule.parsed)}" has an H and no key to decide it. ${ways}`,
    );
  }
}

/** What a dialect does with a gap when nothing else is asked. */
export function defaultGap(dialect: CronDialect): GapRule {
  return dialect === "quartz" ? "shift" : "end";
}
