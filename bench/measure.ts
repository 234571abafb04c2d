/** Measuring: contenders take turns, several times, and the median counts, so that a noisy minute of the machine hits all alike. */

/** One way to do a workload. */
export interface Contender {
  readonly name: string;
  /** Does the workload once and returns the figure: jobs per second, or milliseconds. */
  run(): Promise<number>;
}

export type Unit = "jobs/s" | "ms" | "µs" | "bytes" | "MiB" | "ms/s" | "/s" | "×";

/** What is measured. */
export interface Workload {
  readonly name: string;
  readonly unit: Unit;
  /** The first one is ours; the others are what it is compared with. */
  readonly contenders: readonly Contender[];
  /** How often each contender runs. Default 5. */
  readonly repetitions?: number;
}

export interface Measured {
  readonly workload: string;
  readonly unit: Unit;
  readonly contenders: readonly {
    readonly name: string;
    readonly median: number;
    readonly low: number;
    readonly high: number;
  }[];
}

export async function measure({ name, unit, contenders, repetitions = 5 }: Workload): Promise<Measured> {
  const figures = new Map(contenders.map((contender) => [contender.name, [] as number[]]));
  for (let round = 0; round < repetitions; round++) {
    // Each round begins with another contender: whoever comes after a checkpoint must not always be the same.
    for (const index of contenders.keys()) {
      const contender = contenders[(index + round) % contenders.length];
      if (contender !== undefined) figures.get(contender.name)?.push(await contender.run());
    }
  }
  const summary = [...figures].map(([contender, values]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (index: number) => sorted[index] ?? Number.NaN;
    return { name: contender, median: at(sorted.length >> 1), low: at(0), high: at(sorted.length - 1) };
  });
  return { workload: name, unit, contenders: summary };
}

/** Jobs per second of something that does so many jobs. */
export async function perSecond(jobs: number, work: () => void | Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (jobs / (performance.now() - started)) * 1_000;
}
