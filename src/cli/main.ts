#!/usr/bin/env node
/** The `nightshift` command: finds the subcommand, and says what was wrong with what was typed. */
import { once } from "node:events";
import { didYouMean, messageOf, NightshiftError } from "../errors/index.ts";
import { VERSION } from "../jobs/index.ts";
import { systemClock } from "../time/index.ts";
import { backupCommand, checkCommand, migrateCommand, statsCommand } from "./care-commands.ts";
import { type Command, shownWord, type Terminal } from "./command.ts";
import { CRON_USAGE, cronCommand } from "./cron-command.ts";
import { countCommand, jobsCommand } from "./job-commands.ts";
import { pauseCommand, resumeCommand } from "./queue-commands.ts";
import { exportCommand, importCommand, moveCommand } from "./transfer-commands.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  stats: statsCommand,
  jobs: jobsCommand,
  count: countCommand,
  pause: pauseCommand,
  resume: resumeCommand,
  check: checkCommand,
  backup: backupCommand,
  export: exportCommand,
  import: importCommand,
  move: moveCommand,
  migrate: migrateCommand,
  cron: {
    about: "when a cron expression fires",
    usage: CRON_USAGE,
    async run(args, terminal) {
      await terminal.write(`${cronCommand(args, terminal.clock)}\n`);
      return 0;
    },
  },
};

const terminal: Terminal = {
  input: process.stdin,
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  },
  say: (line) => void process.stderr.write(`${line}\n`),
  clock: systemClock,
};

async function run([name = "help", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) {
    if (!args.includes("--help") && !args.includes("-h")) return command.run(args, terminal);
    await terminal.write(`${command.usage}\n`);
    return 0;
  }
  if (["help", "--help", "-h"].includes(name)) {
    await terminal.write(helpText(args[0]));
    return 0;
  }
  if (["--version", "-v"].includes(name)) {
    await terminal.write(`${VERSION}\n`);
    return 0;
  }
  const names = Object.keys(COMMANDS);
  const message = `${shownWord(name, "What was given")} is not a command (${names.join(", ")}).${didYouMean(name, names)}`;
  throw new NightshiftError("NS_OPTION_UNKNOWN", message);
}

function helpText(name: string | undefined): string {
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return `${command.usage}\n`;
  const lines = Object.entries(COMMANDS).map(([word, { about }]) => `  ${word.padEnd(8)} ${about}`);
  const usages = Object.values(COMMANDS).map(({ usage }) => usage);
  return `nightshift <command> [options]\n\n${lines.join("\n")}\n\n${usages.join("\n\n")}\n`;
}

// Node.js 22 calls its SQLite experimental at every command, which its user can do nothing about.
const printers = process.listeners("warning");
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") for (const print of printers) print(warning);
});

// A reader that has seen enough (head, less) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof NightshiftError || (error instanceof Error && "code" in error);
  if (!expected) throw error;
  console.error(messageOf(error));
  process.exitCode = 2;
}
