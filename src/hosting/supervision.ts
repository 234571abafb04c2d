/** When a service that ended is started again: pure decisions, no timers. */
import { type Problems, show } from "../errors/index.ts";
import { oneOf } from "../errors/option-checks.ts";
import { isTemporalDuration } from "../time/duration.ts";
import { type Duration, parseDuration } from "../time/index.ts";

/** The policies by name. */
export type RestartWord = "never" | "on-failure" | "always";

/** Waiting times between restarts: `initial`, then `factor` times more each time, at most `max`; each is drawn between 0 and that. */
export interface Backoff {
  /** Default 1 s. */
  readonly initial?: Duration;
  /** Default 2. */
  readonly factor?: number;
  /** Default 60 s. */
  readonly max?: Duration;
}

/** How a service is restarted. */
export interface RestartPolicy {
  readonly policy: RestartWord;
  /** A fixed upper bound, or how it grows. Each wait is drawn at random between 0 and the bound. */
  readonly backoff?: Duration | Backoff;
  /** More restarts than this within {@link within} escalate. Default 10. */
  readonly maxRestarts?: number;
  /** The window of {@link maxRestarts}, and the healthy time after which the back-off begins anew. Default 10 m. */
  readonly within?: Duration;
  /** What happens then: the host stops with the error, or the service stays dead. Default: the host's `onServiceFailure`. */
  readonly escalate?: "stop-host" | "give-up";
}

/** A policy with every value decided. */
export interface Supervision {
  readonly policy: RestartWord;
  readonly initial: number;
  readonly factor: number;
  readonly max: number;
  readonly maxRestarts: number;
  readonly within: number;
  readonly escalate: "stop-host" | "give-up";
}

const WORDS: readonly string[] = ["never", "on-failure", "always"];

/** Reads a policy, collecting what is wrong with it. */
export function readSupervision(
  given: RestartWord | RestartPolicy | undefined,
  fallback: "stop-host" | "give-up",
  what: string,
  problems: Problems,
): Supervision {
  const policy: RestartPolicy =
    typeof given === "object" && given !== null ? given : { policy: given === undefined ? "never" : given };
  const time = (value: Duration, name: string) =>
    problems.attempt(() => parseDuration(value, `${what}'s ${name}`)) ?? 0;
  problems.unknownOptions(`${what}'s restart`, policy, ["policy", "backoff", "maxRestarts", "within", "escalate"]);
  oneOf(policy.policy, WORDS, `${what}'s restart policy`, problems);
  if (policy.escalate !== undefined) {
    oneOf(policy.escalate, ["stop-host", "give-up"], `${what}'s restart.escalate`, problems);
  }
  const backoff: Backoff =
    typeof policy.backoff === "object" && policy.backoff !== null && !isTemporalDuration(policy.backoff)
      ? policy.backoff
      : readFixed(policy.backoff);
  problems.unknownOptions(`${what}'s restart.backoff`, backoff, ["initial", "factor", "max"]);
  const supervision = {
    policy: policy.policy,
    initial: time(backoff.initial ?? "1s", "restart.backoff.initial"),
    factor: backoff.factor ?? 2,
    max: time(backoff.max ?? "60s", "restart.backoff.max"),
    maxRestarts: policy.maxRestarts ?? 10,
    within: time(policy.within ?? "10m", "restart.within"),
    escalate: policy.escalate ?? fallback,
  };
  if (!(typeof supervision.factor === "number" && supervision.factor >= 1)) {
    problems.add(
      "NS_OPTION_INVALID",
      `${what}'s restart.backoff.factor is ${show(supervision.factor)}. Give 1 or more.`,
    );
  }
  if (!(typeof supervision.maxRestarts === "number" && supervision.maxRestarts >= 0)) {
    problems.add(
      "NS_OPTION_INVALID",
      `${what}'s restart.maxRestarts is ${show(supervision.maxRestarts)}. Give 0 or more.`,
    );
  }
  return supervision;
}

/** What follows when a service ended on its own. */
export type Decision =
  | { readonly kind: "restart"; readonly delay: number }
  | { readonly kind: "escalate"; readonly restarts: number }
  | { readonly kind: "rest" };

/**
 * Decides what follows.
 *
 * @param restarts the times of earlier restarts on the monotonic clock
 * @param random a number from 0 up to 1
 */
export function decide(
  supervision: Supervision,
  ended: "completed" | "failed",
  restarts: readonly number[],
  now: number,
  random: number,
): Decision {
  const { policy } = supervision;
  const wanted = policy === "always" || (policy === "on-failure" && ended === "failed");
  if (!wanted) return ended === "failed" ? { kind: "escalate", restarts: 0 } : { kind: "rest" };
  const recent = restarts.filter((at) => now - at < supervision.within).length;
  if (recent >= supervision.maxRestarts) return { kind: "escalate", restarts: recent };
  const bound = Math.min(supervision.max, supervision.initial * supervision.factor ** recent);
  return { kind: "restart", delay: Math.round(bound * random) };
}

function readFixed(backoff: Duration | undefined): Backoff {
  return backoff === undefined ? {} : { initial: backoff, max: backoff, factor: 1 };
}
