/** Where a scene is played: one system at a fresh place, its processes, and the book of what was stored and handled. */
import type { Stored } from "./child.ts";
import { SystemProcess } from "./process.ts";
import type { Place, Servers } from "./servers.ts";
import type { ShiftFigures } from "./shift.ts";
import { now, pause } from "./system.ts";
import type { Entry } from "./systems/index.ts";
import type { Workload } from "./workloads.ts";

/** How much of everything. Times in milliseconds. */
export interface Scale {
  readonly enqueue: number;
  readonly sustained: number;
  /** Jobs enqueued to see how long they take. */
  readonly paced: number;
  /** The most that a drain may take. */
  readonly drain: number;
  /** By how much the number of jobs to drain is divided. */
  readonly less: number;
  readonly idle: number;
  readonly million: number;
  readonly clean: number;
  readonly held: number;
}

export type Measure = (workload: Workload, figure: number) => void;

/** How many were stored and how many of them handled. More or less than that, or other ones, is an error of its own. */
export interface Tally {
  readonly stored: number;
  readonly handled: number;
}

const LOOK_EVERY = 20;

export class Stage implements AsyncDisposable {
  readonly key: string;
  readonly entry: Entry;
  readonly place: Place;
  readonly servers: Servers;
  readonly scale: Scale;
  readonly measure: Measure;
  readonly #processes = new AsyncDisposableStack();
  #stored = { count: 0, sum: 0 };
  #handled = { count: 0, sum: 0 };

  private constructor(given: Pick<Stage, "key" | "entry" | "place" | "servers" | "scale" | "measure">) {
    ({
      key: this.key,
      entry: this.entry,
      place: this.place,
      servers: this.servers,
      scale: this.scale,
      measure: this.measure,
    } = given);
  }

  /** Undefined where what the system needs is not on this machine. */
  static async open(given: Pick<Stage, "key" | "entry" | "servers" | "scale" | "measure">): Promise<Stage | undefined> {
    const place = await given.servers.place(given.entry.kind);
    return place === undefined ? undefined : new Stage({ ...given, place });
  }

  get onPostgres(): boolean {
    return this.entry.kind === "postgres";
  }

  /** Another fresh place of the same kind; gone with the stage. */
  async anotherPlace(): Promise<Place> {
    const place = await this.servers.place(this.entry.kind);
    if (place === undefined) throw new Error("There is no place any more.");
    this.#processes.defer(() => place.dispose());
    return place;
  }

  /** A process of the system; ends with the stage. */
  async process(place = this.place): Promise<SystemProcess> {
    return this.#processes.use(await SystemProcess.start(this.key, place.address));
  }

  /** Enters into the book what was stored. */
  async store(stored: Promise<Stored>): Promise<Stored> {
    const { count, sum, rate } = await stored;
    this.#stored = { count: this.#stored.count + count, sum: this.#stored.sum + sum };
    return { count, sum, rate };
  }

  get waiting(): number {
    return this.#stored.count - this.#handled.count;
  }

  /** Lets workers handle everything that was stored, for so long at most. */
  async work(workers: readonly SystemProcess[], ms = this.scale.drain, latencies = false): Promise<ShiftFigures[]> {
    await Promise.all(workers.map((worker) => worker.ask("start", { ms, latencies })));
    const end = now() + ms;
    for (let handled = 0; handled < this.waiting && now() < end; ) {
      await pause(LOOK_EVERY);
      handled = (await Promise.all(workers.map((worker) => worker.ask("seen", {})))).reduce((n, s) => n + s.count, 0);
    }
    return this.stop(workers);
  }

  async stop(workers: readonly SystemProcess[]): Promise<ShiftFigures[]> {
    const figures = await Promise.all(workers.map((worker) => worker.ask("stop", {})));
    for (const { count, sum } of figures) {
      this.#handled = { count: this.#handled.count + count, sum: this.#handled.sum + sum };
    }
    return figures;
  }

  /** Closes the book: throws if a job was handled twice, or another was in its place. */
  tally(): Tally {
    const [stored, handled] = [this.#stored, this.#handled];
    const wrong = stored.count === handled.count ? stored.sum !== handled.sum : stored.count < handled.count;
    if (wrong)
      throw new Error(
        `${stored.count} jobs (sum ${stored.sum}) were stored, ${handled.count} (sum ${handled.sum}) handled.`,
      );
    return { stored: stored.count, handled: handled.count };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#processes.disposeAsync();
    } finally {
      await this.place.dispose();
    }
  }
}
