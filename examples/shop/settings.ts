/** What can be set from outside: the command line and the environment. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Duration, parseDuration, token } from "nightshift";

/** How this run of the shop is set up. */
export interface Settings {
  /** Where the shop listens, on loopback. 0 takes any free port. */
  readonly port: number;
  /** The folder of everything the shop keeps: database, reports, received mail. */
  readonly data: string;
  /** Stop by itself after this many milliseconds, making a little traffic of its own until then; null: run until Ctrl+C. */
  readonly stopAfter: number | null;
  /** A real mail server; null: the demo starts one of its own. */
  readonly smtpUrl: string | null;
  /** A real source of exchange rates; null: the demo starts one of its own, which fails now and then. */
  readonly ratesUrl: string | null;
}

/** Settings as a service: named like their type. */
export const Settings = token<Settings>("Settings");

/** Reads what was set; what was not gets its default. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: { for: { type: "string" }, port: { type: "string" }, data: { type: "string" } },
  });
  return {
    port: Number(values.port ?? env["PORT"] ?? 3000),
    data: values.data ?? env["SHOP_DATA"] ?? join(import.meta.dirname, "data"),
    stopAfter: values.for === undefined ? null : parseDuration(values.for as Duration, "--for"),
    smtpUrl: env["SMTP_URL"] ?? null,
    ratesUrl: env["RATES_URL"] ?? null,
  };
}
