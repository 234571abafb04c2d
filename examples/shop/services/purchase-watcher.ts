/**
 * Monitors a database table: the till writes purchases and knows nothing of jobs; this service notices new rows and
 * enqueues a receipt for each. Marking the row and enqueueing are one transaction, so no row is noticed twice and none
 * is forgotten.
 */
import { BackgroundService, Jobs, Logger, ScopeFactory, ticker } from "nightshift";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { sendReceipt } from "../jobs/send-receipt.ts";

export class PurchaseWatcher extends BackgroundService {
  static readonly inject = [ScopeFactory, Jobs, Logger] as const;
  readonly #scopes: ScopeFactory;
  readonly #jobs: Jobs;
  readonly #logger: Logger;

  constructor(scopes: ScopeFactory, jobs: Jobs, logger: Logger) {
    super();
    this.#scopes = scopes;
    this.#jobs = jobs;
    this.#logger = logger;
  }

  override async execute(stopping: AbortSignal): Promise<void> {
    for await (const _ of ticker("1s", { signal: stopping })) await this.#notice();
  }

  async #notice(): Promise<void> {
    await using scope = this.#scopes.createScope();
    const database = scope.get(UnitOfWork);
    const fresh = await database.transaction(async (tx) => {
      const rows = database.all<{ id: number }>(
        "UPDATE purchase SET noticed_at = ? WHERE id IN (SELECT id FROM purchase WHERE noticed_at IS NULL LIMIT 100) RETURNING id",
        Date.now(),
      );
      if (rows.length > 0)
        await this.#jobs.enqueueMany(
          sendReceipt,
          rows.map((row) => ({ purchaseId: row.id })),
          { tx },
        );
      return rows.length;
    });
    if (fresh > 0) this.#logger.info({ purchases: fresh }, "new purchases noticed");
  }
}
