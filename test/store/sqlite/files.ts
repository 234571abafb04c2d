/** A folder of its own for each test, and stores in it that are closed afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../../src/store/contract.ts";
import { type SqliteOptions, sqlite } from "../../../src/store/sqlite/index.ts";
import { capturingLogger } from "../../../src/testing/index.ts";
import { type Clock, systemClock } from "../../../src/time/index.ts";

export class TestFolder implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "nightshift-"));
  readonly #stores: Store[] = [];

  file(name = "test.db"): string {
    return join(this.path, name);
  }

  /** An open store; closed with the folder. */
  async open(options: Partial<SqliteOptions> & { readonly clock?: Clock } = {}): Promise<Store> {
    const { clock = systemClock, ...rest } = options;
    const store = sqlite({ path: this.file(), pollInterval: 20, ...rest });
    await store.open({ clock, logger: capturingLogger() });
    this.#stores.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}
