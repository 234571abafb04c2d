/** Groups of services that are restarted together: how they are declared, and how many restarts one bears. */
import { type Problems, show } from "../errors/index.ts";
import { oneOf } from "../errors/option-checks.ts";
import { type Duration, parseDuration } from "../time/index.ts";

/** Who is restarted when one member of a group is: it alone, all, or it and those that started after it. */
export type GroupStrategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** How a group of services is restarted. */
export interface ServiceGroupOptions {
  /** Who is restarted when one member is. */
  readonly strategy: GroupStrategy;
  /** More restarts of the group than this within {@link within} escalate, whoever failed. Default: no limit beside those of the members. */
  readonly maxRestarts?: number;
  /** The window of {@link maxRestarts}. Default 10 m. */
  readonly within?: Duration;
  /** What happens then: the host stops with the last error, or the whole group stays down. Default: the host's `onServiceFailure`. */
  readonly escalate?: "stop-host" | "give-up";
}

/** A group, every option decided. */
export interface DecidedGroup {
  readonly name: string;
  readonly strategy: GroupStrategy;
  readonly maxRestarts: number;
  readonly within: number;
  readonly escalate: "stop-host" | "give-up";
}

/** Checks and decides a group's options. */
export function readGroup(
  name: string,
  given: GroupStrategy | ServiceGroupOptions,
  fallback: "stop-host" | "give-up",
  problems: Problems,
): DecidedGroup {
  const what = `The service group ${name}`;
  const options: Partial<ServiceGroupOptions> =
    typeof given === "object" && given !== null ? given : { strategy: given };
  problems.unknownOptions(what, options, ["strategy", "maxRestarts", "within", "escalate"]);
  oneOf(options.strategy, ["one-for-one", "one-for-all", "rest-for-one"], `${what}'s strategy`, problems);
  const { maxRestarts = Number.POSITIVE_INFINITY, escalate = fallback } = options;
  if (!(typeof maxRestarts === "number" && maxRestarts >= 0)) {
    problems.add("NS_OPTION_INVALID", `${what}'s maxRestarts is ${show(maxRestarts)}. Give 0 or more.`);
  }
  oneOf(escalate, ["stop-host", "give-up"], `${what}'s escalate`, problems);
  const within = problems.attempt(() => parseDuration(options.within ?? "10m", `${what}'s within`)) ?? 0;
  return { name, strategy: options.strategy ?? "one-for-one", maxRestarts, within, escalate };
}
