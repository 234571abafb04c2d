/** Tells listeners what happened, in order, synchronously. A listener that throws harms nobody else. */

/** What can be listened to: names and the events they carry. */
export interface Events<M> {
  /** Calls `listener` for each event of a kind; disposing what is returned ends that. */
  on<K extends keyof M>(kind: K, listener: (event: M[K]) => void): Disposable;
}

/** The side of the one who tells. */
export class Emitter<M> implements Events<M> {
  readonly #listeners = new Map<keyof M, Set<(event: never) => void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<K extends keyof M>(kind: K, listener: (event: M[K]) => void): Disposable {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners);
    const own = (event: M[K]) => listener(event);
    listeners.add(own);
    return { [Symbol.dispose]: () => void listeners.delete(own) };
  }

  emit<K extends keyof M>(kind: K, event: M[K]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) {
      try {
        (listener as (event: M[K]) => void)(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
