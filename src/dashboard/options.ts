/** The options of a dashboard, checked where they are given. */
import { Problems, show } from "../errors/index.ts";
import { hasMethods, isCallable, optionsOf } from "../errors/option-checks.ts";
import { LOGGER_METHODS, type LoggerLike } from "../telemetry/index.ts";
import type { CreateDashboardOptions } from "./dashboard.ts";
import type { Authorize } from "./server/access.ts";

/** How a dashboard looks and who may use it. */
export interface DashboardLook {
  /**
   * Where it is mounted, as the browser sees it: `"/jobs"`. All its links are relative, so a proxy may put it elsewhere.
   * Default `"/"`.
   */
  readonly path?: string;
  /** Decides who may look and who may act. Default: this machine's own browsers may do everything, nobody else anything. */
  readonly authorize?: Authorize;
  /** The page's heading. Default: the host's name, else `Nightshift`. */
  readonly title?: string;
  /**
   * Names of properties whose values are never sent to a browser, in inputs, results and meta. Replaces the default list
   * (`password`, `secret`, `token`, `apiKey`, `authorization`, `cookie` and their like); case, `-` and `_` do not count.
   */
  readonly redact?: readonly string[];
}

/** Options of `builder.addDashboard()`. */
export interface AddDashboardOptions extends DashboardLook {
  /** Listens here. 0 takes any free port. Left out: nothing listens, and `host.services.get(Dashboard).fetch` is for you to mount. */
  readonly port?: number;
  /** The address to listen on. Default `"127.0.0.1"`: this machine only. */
  readonly host?: string;
  /** Told about failed requests and about changes. Default: the host's logger. */
  readonly logger?: LoggerLike;
}

const LOOK = ["path", "authorize", "title", "redact"] as const;
const ADD = [...LOOK, "port", "host", "logger"] as const;
const CREATE = [...LOOK, "store", "logger", "clock", "services", "schedules"] as const;
const PATH = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

/** Checks the options of `addDashboard()`; what is wrong is added to `problems`. */
export function checkAddDashboard(options: AddDashboardOptions, problems: Problems): void {
  problems.unknownOptions("addDashboard()", options, ADD);
  checkLook("addDashboard()", options, problems);
  const { port, host } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    problems.add("NS_OPTION_INVALID", `addDashboard(): port is ${show(port)}. It is a whole number from 0 to 65535.`);
  }
  if (host !== undefined && (typeof host !== "string" || host === "")) {
    problems.add("NS_OPTION_INVALID", `addDashboard(): host is ${show(host)}. It is an address such as "127.0.0.1".`);
  }
}

/** Checks the options of `createDashboard()`, and throws what is wrong. */
export function checkCreateDashboard(given: CreateDashboardOptions): void {
  const problems = new Problems();
  const what = "createDashboard()";
  const options = optionsOf(given, what, problems);
  problems.unknownOptions(what, options, CREATE);
  checkLook(what, options, problems);
  const { store, logger, clock, services } = options;
  hasMethods(
    store,
    ["open", "listJobs"],
    `${what}: store`,
    'Give a store: sqlite("app.db") or postgres(url).',
    problems,
  );
  if (logger !== undefined) {
    hasMethods(
      logger,
      LOGGER_METHODS,
      `${what}: logger`,
      "Give a pino-compatible logger, or consoleLogger().",
      problems,
    );
  }
  if (clock !== undefined) hasMethods(clock, ["now", "setTimer"], `${what}: clock`, "Give systemClock.", problems);
  if (services !== undefined) isCallable(services, `${what}: services`, problems);
  problems.throwIfAny("The dashboard");
}

/** A mount as the handler wants it: with a slash at both ends. */
export function mountOf(path = "/"): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function checkLook(what: string, { path, authorize, title, redact }: DashboardLook, problems: Problems): void {
  if (path !== undefined && (typeof path !== "string" || !PATH.test(path) || /\/\.\.?(?:\/|$)/.test(path))) {
    problems.add("NS_OPTION_INVALID", `${what}: path is ${show(path)}. It starts with a slash: "/jobs", say.`);
  }
  if (authorize !== undefined && typeof authorize !== "function") {
    problems.add("NS_OPTION_INVALID", `${what}: authorize is ${show(authorize)}. It is a function of a request.`);
  }
  if (title !== undefined && typeof title !== "string") {
    problems.add("NS_OPTION_INVALID", `${what}: title is ${show(title)}. It is text.`);
  }
  if (redact !== undefined && !(Array.isArray(redact) && redact.every((name) => typeof name === "string"))) {
    problems.add("NS_OPTION_INVALID", `${what}: redact is ${show(redact)}. It is a list of property names.`);
  }
}
