/** The raw figures: kept in a file, written after each system, so that a run that was ended can go on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Measured } from "../measure.ts";
import type { Tally } from "./stage.ts";
import { type Entry, SYSTEMS, type SystemKey } from "./systems/index.ts";
import { titleOf, unitOf, WORKLOADS, type Workload } from "./workloads.ts";

const FILE = fileURLToPath(new URL("figures.json", import.meta.url));

interface Kept {
  /** The versions of everything, a line for each set that was used. */
  versions: string[];
  /** How often each scene was played by each system: `scene/system`. */
  played: Record<string, number>;
  /** By `workload/system`. */
  figures: Record<string, number[]>;
  /** By `scene/system`, all repetitions together. */
  tallies: Record<string, Tally>;
  failures: string[];
  /** The machine's load average before each. */
  loads: number[];
}

/** A median, and what it is the median of. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export class Notebook {
  readonly #kept: Kept;

  private constructor(kept: Kept) {
    this.#kept = kept;
  }

  static empty(): Notebook {
    return new Notebook({ versions: [], played: {}, figures: {}, tallies: {}, failures: [], loads: [] });
  }

  /** What an earlier run has kept; empty if there was none. */
  static stored(): Notebook {
    return existsSync(FILE) ? new Notebook(JSON.parse(readFileSync(FILE, "utf8")) as Kept) : Notebook.empty();
  }

  /** Whole or not at all: whoever is killed here keeps the last one. */
  store(): void {
    writeFileSync(`${FILE}.new`, JSON.stringify(this.#kept));
    renameSync(`${FILE}.new`, FILE);
  }

  get about(): Pick<Kept, "versions" | "failures" | "loads"> {
    return this.#kept;
  }

  measuredWith(versions: string): void {
    if (!this.#kept.versions.includes(versions)) this.#kept.versions.push(versions);
  }

  timesPlayed(scene: string, key: string): number {
    return this.#kept.played[`${scene}/${key}`] ?? 0;
  }

  /** A scene that was played to its end: its figures, what was stored and handled, the load before it. */
  played(
    scene: string,
    key: string,
    figures: ReadonlyMap<Workload, readonly number[]>,
    tally: Tally,
    load: number,
  ): void {
    const { played, tallies, loads } = this.#kept;
    const id = `${scene}/${key}`;
    played[id] = (played[id] ?? 0) + 1;
    const before = tallies[id] ?? { stored: 0, handled: 0 };
    tallies[id] = { stored: before.stored + tally.stored, handled: before.handled + tally.handled };
    loads.push(load);
    for (const [workload, values] of figures) {
      const at = `${workload}/${key}`;
      this.#kept.figures[at] = [...(this.#kept.figures[at] ?? []), ...values];
    }
  }

  /** It counts as played: whoever goes on later does not meet it again in this round. */
  failed(scene: string, key: string, message: string): void {
    const id = `${scene}/${key}`;
    this.#kept.played[id] = (this.#kept.played[id] ?? 0) + 1;
    this.#kept.failures.push(message);
  }

  figure(workload: Workload, key: SystemKey): Figure | undefined {
    const values = this.#kept.figures[`${workload}/${key}`]?.toSorted((a, b) => a - b) ?? [];
    if (values.length === 0) return undefined;
    const at = (index: number) => values[index] ?? Number.NaN;
    const median = (at((values.length - 1) >> 1) + at(values.length >> 1)) / 2;
    return { median, low: at(0), high: at(values.length - 1) };
  }

  tally(scene: string, key: SystemKey): Tally | undefined {
    return this.#kept.tallies[`${scene}/${key}`];
  }

  /** Everything that was stored and handled, and the systems that were given more than they handled in time. */
  tallies(): Tally & { readonly behind: readonly string[] } {
    const all = Object.entries(this.#kept.tallies);
    return {
      stored: all.reduce((sum, [, { stored }]) => sum + stored, 0),
      handled: all.reduce((sum, [, { handled }]) => sum + handled, 0),
      behind: all.flatMap(([id, { stored, handled }]) => (handled < stored ? [`${id} ${handled} of ${stored}`] : [])),
    };
  }

  /** The tables' rows: PostgreSQL with Redis beside it, then SQLite; ours first, as the registry has it. */
  results(): readonly Measured[] {
    const some = (title: string, kinds: readonly Entry["kind"][]): readonly Measured[] =>
      WORKLOADS.flatMap((workload) => {
        const contenders = (Object.keys(SYSTEMS) as SystemKey[]).flatMap((key) => {
          const figure = this.figure(workload, key);
          const { label, kind } = SYSTEMS[key];
          return figure !== undefined && kinds.includes(kind) ? [{ name: label, ...figure }] : [];
        });
        if (contenders.length === 0) return [];
        return [{ workload: `${title}: ${titleOf(workload)}`, unit: unitOf(workload), contenders }];
      });
    return [...some("PostgreSQL", ["postgres", "redis", "redis-aof"]), ...some("SQLite", ["sqlite"])];
  }
}
