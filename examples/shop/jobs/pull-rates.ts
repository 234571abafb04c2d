/** Pulls data from an external HTTP API, which fails now and then: the retries show in the dashboard. */
import { defineJob } from "nightshift";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { RatesSource } from "../rates/rates-source.ts";

export const pullRates = defineJob({
  name: "rates.pull",
  retry: { attempts: 6, backoff: "exponential", delay: "500ms", maxDelay: "30s" },
  timeout: "10s",
  inject: [UnitOfWork, RatesSource],
  async run(_input, job, database, source) {
    const rates = await source.latest({ signal: job.signal });
    await database.transaction(async () => {
      for (const [currency, rate] of Object.entries(rates)) {
        database.run(
          "INSERT INTO exchange_rate VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rate = excluded.rate, pulled_at = excluded.pulled_at",
          currency,
          rate,
          Date.now(),
        );
      }
    });
    return { currencies: Object.keys(rates).length };
  },
});
