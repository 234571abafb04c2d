/** Sends e-mails, part 1: welcomes a new customer. Enqueued in the transaction that inserts the customer. */
import { defineJob } from "nightshift";
import { z } from "zod";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { Mailer } from "../mail/mailer.ts";

export const sendWelcome = defineJob({
  name: "mail.welcome",
  input: z.object({ customerId: z.int().positive() }),
  queue: "mail",
  retry: { attempts: 8, backoff: "exponential", delay: "1s", maxDelay: "1m" },
  timeout: "30s",
  inject: [UnitOfWork, Mailer],
  async run({ customerId }, job, database, mailer) {
    const customer = database.get<{ email: string; name: string }>(
      "SELECT email, name FROM customer WHERE id = ?",
      customerId,
    );
    if (!customer) return;
    await mailer.send(
      {
        id: `welcome-${customerId}`,
        to: customer.email,
        subject: `Welcome, ${customer.name}!`,
        text: `Hello ${customer.name},\n\nthank you for signing up. The shop is open all night.\n`,
      },
      { signal: job.signal },
    );
  },
});
