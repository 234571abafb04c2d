/**
 * Starts the shop: `npm start`, or `npm start -- --for 20s` for a short run with a little traffic of its own.
 * Ctrl+C stops it gracefully; a second one at once.
 */
import { Summary } from "./services/summary.ts";
import { readSettings } from "./settings.ts";
import { createShop } from "./shop.ts";

const host = createShop(readSettings(process.argv.slice(2), process.env));
const summary = host.services.get(Summary);
await host.run();
console.log(String(summary));
