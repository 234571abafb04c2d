/** A store's life: calls of open() are counted, and what is under way is waited for before anything is closed. */
import { NightshiftError } from "../../errors/index.ts";

/** @typeParam Open what an open store works with */
export class Opening<Open> {
  /** What it is called when it is not open. */
  readonly #what: string;
  #opening: Promise<Open> | null = null;
  #open: Open | null = null;
  #openings = 0;
  #underWay = 0;
  #idle: (() => void) | null = null;

  constructor(what: string) {
    this.#what = what;
  }

  /** The first call connects, later ones share that. One that failed does not count. */
  async open(connect: () => Promise<Open>): Promise<void> {
    this.#openings++;
    this.#opening ??= connect();
    try {
      this.#open = await this.#opening;
    } catch (error) {
      if (--this.#openings === 0) this.#opening = null;
      throw error;
    }
  }

  /** The last of as many calls disconnects, once nothing is under way any more. */
  async close(disconnect: (open: Open) => Promise<void>): Promise<void> {
    if (this.#openings === 0 || --this.#openings > 0) return;
    const open = this.#open;
    this.#open = null;
    this.#opening = null;
    if (open === null) return;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await disconnect(open);
  }

  /** @throws NS_STORE_CLOSED */
  async run<T>(work: (open: Open) => Promise<T>): Promise<T> {
    const open = this.#open;
    if (open === null) throw new NightshiftError("NS_STORE_CLOSED", `${this.#what} is not open. Call open() first.`);
    this.#underWay++;
    try {
      return await work(open);
    } finally {
      if (--this.#underWay === 0) this.#idle?.();
    }
  }
}
