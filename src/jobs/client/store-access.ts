/** A store, opened when it is first needed and closed once. Shared by the client and the engine of one process. */
import { NightshiftError } from "../../errors/index.ts";
import type { Store, StoreContext } from "../../store/contract.ts";
import { unbreakable } from "../unbreakable.ts";

type State =
  | { readonly is: "closed" }
  | { readonly is: "opening"; readonly done: Promise<Store> }
  | { readonly is: "open" }
  | { readonly is: "over" };

/** Opens a store at most once at a time; a failed opening may be tried again. */
export class StoreAccess implements AsyncDisposable {
  readonly store: Store;
  readonly #context: StoreContext;
  #state: State = { is: "closed" };

  constructor(store: Store, context: StoreContext) {
    this.store = store;
    this.#context = { ...context, logger: unbreakable(context.logger) };
  }

  /** The store if it is open now: callers that must not wait a turn (a transaction is open) look here first. */
  get opened(): Store | undefined {
    return this.#state.is === "open" ? this.store : undefined;
  }

  /**
   * @param signal aborted when whoever opens it first does not wait any more
   * @throws NS_STORE_CLOSED after {@link close}, and what the store says when it cannot be opened
   */
  open(signal?: AbortSignal): Promise<Store> {
    const state = this.#state;
    if (state.is === "open") return Promise.resolve(this.store);
    if (state.is === "opening") return state.done;
    if (state.is === "over") return Promise.reject(closed());
    const context = signal === undefined ? this.#context : { ...this.#context, signal };
    const done = this.store.open(context).then(
      () => {
        // Somebody closed while it opened: close() waits for this and closes it.
        if (this.#state.is === "opening") this.#state = { is: "open" };
        return this.store;
      },
      (error: unknown) => {
        if (this.#state.is === "opening") this.#state = { is: "closed" };
        throw error;
      },
    );
    this.#state = { is: "opening", done };
    return done;
  }

  /** Closes it for good. Harmless when it was never opened, and the second time. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { is: "over" };
    // Whoever waits for the opening hears of its failure; there is nothing to close then.
    if (state.is === "opening") await state.done.catch(() => undefined).then((store) => store?.close());
    else if (state.is === "open") await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function closed(): NightshiftError {
  return new NightshiftError("NS_STORE_CLOSED", "The jobs client is closed: its host has stopped, or it was disposed.");
}
