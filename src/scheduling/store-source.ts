/** Where the room gets its store from: whoever owns it opens it when it is first needed, and closes it. */
import type { Store } from "../store/contract.ts";

export interface StoreSource {
  /** The store, open. @throws NS_STORE_CLOSED when its owner has closed it, and what the store says when it cannot be opened */
  open(): Promise<Store>;
}
