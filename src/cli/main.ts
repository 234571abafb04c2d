#!/usr/bin/env node
/** The `nightshift` command: finds the subcommand, prints its text, and says what was wrong with what was typed. */
import { didYouMean, NightshiftError, show } from "../errors/index.ts";
import { systemClock } from "../time/index.ts";
import { CRON_USAGE, cronCommand } from "./cron-command.ts";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => string>> = {
  cron: (args) => cronCommand(args, systemClock),
  help: () => `Usage:\n\n${CRON_USAGE}`,
};

function run([name = "help", ...args]: readonly string[]): string {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : COMMANDS[name.replace(/^--?/, "")];
  if (command) return command(args);
  const names = Object.keys(COMMANDS);
  const message = `${show(name)} is not a command (${names.join(", ")}).${didYouMean(name, names)}`;
  throw new NightshiftError("NS_OPTION_UNKNOWN", message);
}

try {
  console.log(run(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof NightshiftError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
