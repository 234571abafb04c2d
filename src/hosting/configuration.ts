/** What operators may set without touching code: `nightshift.config.json` and `NIGHTSHIFT_…` in the environment. */
import { existsSync, readFileSync } from "node:fs";
import { didYouMean, messageOf, type Problems, show } from "../errors/index.ts";
import { token } from "../services/index.ts";
import { type Duration, parseDuration } from "../time/index.ts";
import type { HostOptions } from "./options.ts";

/** Where configuration is read from. */
export interface ConfigurationSources {
  /** The environment. Default: the process's own; `false` reads none. */
  readonly env?: Readonly<Record<string, string | undefined>> | false;
  /** A JSON file. Default: `nightshift.config.json` in the working folder, if it is there; `false` reads none. */
  readonly file?: string | false;
}

/** The application's configuration file, injected: the host's own section is `host`, the rest is yours. */
export interface Configuration {
  /** The value at a path such as `"mail.from"`, or `undefined`. */
  get(path: string): unknown;
}

/** The configuration, injected. */
export const Configuration = token<Configuration>("Configuration");

/** The options of the host that can be configured, and how text from the environment becomes a value. */
const CONFIGURABLE = {
  name: "text",
  environment: "text",
  logLevel: "text",
  shutdownTimeout: "duration",
  startupTimeout: "duration",
  drainDelay: "duration",
  startConcurrently: "flag",
  stopConcurrently: "flag",
  stopWhenAllCompleted: "flag",
  lifetimeMessages: "flag",
  onServiceFailure: "text",
  onStartFailure: "text",
  unhandledErrors: "text",
} as const satisfies Partial<Record<keyof HostOptions, "text" | "duration" | "flag">>;

const DEFAULT_FILE = "nightshift.config.json";
const PREFIX = "NIGHTSHIFT_";

/** Reads the file, then the environment over it. What code sets explicitly stands above both. */
export function readConfiguration(
  sources: ConfigurationSources | false,
  problems: Problems,
): { readonly host: HostOptions; readonly configuration: Configuration } {
  if (sources === false) return { host: {}, configuration: configurationOf({}) };
  if (typeof sources !== "object" || sources === null) {
    problems.add("NS_OPTION_INVALID", `The host's configuration is ${show(sources)}. Give { file, env }, or false.`);
    return { host: {}, configuration: configurationOf({}) };
  }
  problems.unknownOptions("The host's configuration", sources, ["env", "file"]);
  const file = readFile(sources.file, problems);
  const section = file["host"] ?? {};
  if (!isRecord(section)) {
    problems.add("NS_OPTION_INVALID", `"host" in the configuration file is ${show(section)}. Give an object.`);
  } else problems.unknownOptions(`"host" in the configuration file`, section, Object.keys(CONFIGURABLE));
  const env = sources.env === false ? {} : fromEnvironment(sources.env ?? process.env, problems);
  return { host: { ...(isRecord(section) ? section : {}), ...env }, configuration: configurationOf(file) };
}

function readFile(file: string | false | undefined, problems: Problems): Record<string, unknown> {
  if (file === false || (file === undefined && !existsSync(DEFAULT_FILE))) return {};
  const path = file ?? DEFAULT_FILE;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isRecord(parsed)) return parsed;
    problems.add("NS_OPTION_INVALID", `The configuration file ${path} holds ${show(parsed)}. Give an object.`);
  } catch (error) {
    problems.add("NS_OPTION_INVALID", `The configuration file ${path} cannot be read: ${messageOf(error)}.`);
  }
  return {};
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, problems: Problems): HostOptions {
  const known = new Map(Object.entries(CONFIGURABLE).map(([option, kind]) => [variableOf(option), { option, kind }]));
  const options: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === "") continue;
    const found = known.get(variable);
    if (found !== undefined) {
      const value = readText(variable, text, found.kind, problems);
      if (value !== undefined) options[found.option] = value;
    } else {
      // Other variables with the prefix belong to other parts of the application; only a slip of the pen is told.
      const near = didYouMean(variable, known.keys());
      if (near !== "") problems.add("NS_OPTION_UNKNOWN", `The environment variable ${variable} is not known.${near}`);
    }
  }
  return options;
}

function readText(variable: string, text: string, kind: "text" | "duration" | "flag", problems: Problems): unknown {
  if (kind === "text") return text;
  const what = `The environment variable ${variable}`;
  if (kind === "duration") {
    const given = /^\d+$/.test(text) ? Number(text) : text;
    return problems.attempt(() => parseDuration(given as Duration, what));
  }
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  problems.add("NS_OPTION_INVALID", `${what} is ${show(text)}. Give true or false.`);
  return undefined;
}

function variableOf(option: string): string {
  return PREFIX + option.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function configurationOf(file: Record<string, unknown>): Configuration {
  return {
    get: (path) =>
      path.split(".").reduce<unknown>((value, name) => {
        return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
      }, file),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
