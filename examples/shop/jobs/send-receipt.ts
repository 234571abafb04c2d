/** Sends e-mails, part 2: a receipt for a purchase. Enqueued by the service that watches the table of purchases. */
import { defineJob } from "nightshift";
import { z } from "zod";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { Mailer } from "../mail/mailer.ts";

interface Purchase {
  readonly email: string;
  readonly name: string;
  readonly cents: number;
}

export const sendReceipt = defineJob({
  name: "mail.receipt",
  input: z.object({ purchaseId: z.int().positive() }),
  queue: "mail",
  retry: { attempts: 8, backoff: "exponential", delay: "1s", maxDelay: "1m" },
  timeout: "30s",
  inject: [UnitOfWork, Mailer],
  async run({ purchaseId }, job, database, mailer) {
    const purchase = database.get<Purchase>(
      "SELECT c.email, c.name, p.cents FROM purchase p JOIN customer c ON c.id = p.customer_id WHERE p.id = ?",
      purchaseId,
    );
    if (!purchase) return;
    const amount = (purchase.cents / 100).toFixed(2);
    await mailer.send(
      {
        id: `receipt-${purchaseId}`,
        to: purchase.email,
        subject: `Your receipt: ${amount} dollars`,
        text: `Hello ${purchase.name},\n\nyou paid ${amount} dollars. Thank you!\n`,
      },
      { signal: job.signal },
    );
  },
});
