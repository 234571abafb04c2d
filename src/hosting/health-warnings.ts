/** What is not as it should be and no reason to be taken out of service: told beside the checks, asked for seldom. */
import { messageOf } from "../errors/index.ts";
import { type Clock, formatDuration } from "../time/index.ts";
import { bounded } from "./bounded.ts";

/** Says what is not as it should be, a sentence each; nothing when all is well. */
export type HealthWarnings = (signal: AbortSignal) => Promise<readonly string[]> | readonly string[];

/** Something to know of. */
export interface HealthWarning {
  /** Who says it. */
  readonly name: string;
  readonly message: string;
}

/** A source of warnings with its name. */
export interface DeclaredWarnings {
  readonly name: string;
  readonly source: HealthWarnings;
}

/** Looking may cost a few statements of a database: probes come every second, and share an answer for so long. */
const FRESH = 60_000;
const TIMEOUT = 3_000;

/** Asks the sources, each at most once a minute. */
export class WarningDesk {
  readonly #clock: Clock;
  readonly #sources: readonly DeclaredWarnings[];
  #known: { readonly at: number; readonly warnings: Promise<readonly HealthWarning[]> } | undefined;

  constructor(clock: Clock, sources: readonly DeclaredWarnings[]) {
    this.#clock = clock;
    this.#sources = sources;
  }

  /** Never rejects: a source that fails is a warning of its own. */
  current(): Promise<readonly HealthWarning[]> {
    const now = this.#clock.monotonic();
    if (this.#known === undefined || now - this.#known.at >= FRESH) {
      const warnings = Promise.all(this.#sources.map((source) => this.#ask(source))).then((all) => all.flat());
      this.#known = { at: now, warnings };
    }
    return this.#known.warnings;
  }

  async #ask({ name, source }: DeclaredWarnings): Promise<readonly HealthWarning[]> {
    let said: readonly string[] = [];
    const step = async (signal: AbortSignal) => {
      said = await source(signal);
    };
    const { signal } = new AbortController();
    const ended = await bounded(step, { clock: this.#clock, signal, timeout: TIMEOUT, grace: 0, what: name });
    if (ended.kind === "done") return said.map((message) => ({ name, message }));
    const why = ended.kind === "failed" ? messageOf(ended.error) : `no answer within ${formatDuration(TIMEOUT)}`;
    return [{ name, message: `It is not known whether all is well: ${why}` }];
  }
}
