/** A value that exists only later than those who will ask for it are registered. */
import { NightshiftError } from "../errors/index.ts";

/** What only the host can give, while there is no host: the container is put together before. */
export class Late<T> {
  readonly #name: string;
  #value: T | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  connect(value: T): void {
    this.#value = value;
  }

  get(): T {
    if (this.#value !== undefined) return this.#value;
    throw new NightshiftError("NS_HOST_STATE", `${this.#name} was asked for before the host was built.`);
  }
}
