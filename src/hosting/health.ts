/** Whether the application has started, is ready for work, and is alive: as data, and as an HTTP handler. */
import { messageOf } from "../errors/index.ts";
import { type Clock, type Duration, formatDuration } from "../time/index.ts";
import { bounded } from "./bounded.ts";
import { type DeclaredWarnings, type HealthWarning, WarningDesk } from "./health-warnings.ts";
import type { HostLifetime } from "./lifetime.ts";
import { type LoopLag, measureLoopLag } from "./loop-lag.ts";
import type { HostSnapshot } from "./snapshot.ts";

/** The three questions that platforms ask. */
export type Probe = "livez" | "readyz" | "startupz";

/** A check of your own: throw, or give back false, when it fails. */
export type HealthCheck = (signal: AbortSignal) => Promise<unknown> | unknown;

/** How a check takes part. */
export interface HealthCheckOptions {
  /** The question that it answers. Default `"readyz"`: a failing dependency should not restart the process. */
  readonly probe?: "readyz" | "livez";
  /** The time for the check. Default 3 s. */
  readonly timeout?: Duration;
}

/** A check with its options decided. */
export interface DeclaredCheck {
  readonly name: string;
  readonly probe: "readyz" | "livez";
  readonly timeout: number;
  readonly check: HealthCheck;
}

/** The answer to a question. */
export interface HealthReport {
  readonly probe: Probe;
  readonly ok: boolean;
  /** What was looked at, with the reason when it fails. */
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly reason?: string }[];
  /** Of `readyz`: what is not as it should be though it is ok, at most a minute old. Empty for the other questions. */
  readonly warnings: readonly HealthWarning[];
}

/** How the HTTP handler answers. */
export interface HealthHandlerOptions {
  /** Whether the answer lists what was looked at, and the warnings: names of services and messages of errors. Default `false`. */
  readonly detail?: boolean;
}

interface HealthParts {
  readonly clock: Clock;
  readonly lifetime: HostLifetime;
  readonly snapshot: () => HostSnapshot;
  readonly checks: readonly DeclaredCheck[];
  readonly warnings: readonly DeclaredWarnings[];
  /** The event loop may be late by this much before the process counts as not alive. */
  readonly maxLag: number;
}

/**
 * The application's health.
 *
 * - `livez`: the event loop turns and services beat as promised. It stays green while the application drains.
 * - `readyz`: started, not asked to stop, every required service runs, every check passes.
 * - `startupz`: the start is over.
 *
 * @example
 * ```ts
 * import { createHost } from "nightshift";
 *
 * const builder = createHost();
 * builder.addHealthCheck("disk", () => true);
 * await using host = builder.build();
 * const response = await host.health.handler(new Request("http://localhost/readyz"));
 * console.log(response.status); // 503: not started yet
 * ```
 */
export class Health {
  readonly #parts: HealthParts;
  readonly #warnings: WarningDesk;
  #lag: LoopLag | undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#warnings = new WarningDesk(parts.clock, parts.warnings);
  }

  /** Begins to watch the event loop; the host calls it at its start. */
  begin(): void {
    this.#lag ??= measureLoopLag(undefined, this.#parts.maxLag);
  }

  /** Ends the watch. */
  end(): void {
    this.#lag?.[Symbol.dispose]();
    this.#lag = undefined;
  }

  /** Answers one question. Never rejects. */
  async report(probe: Probe): Promise<HealthReport> {
    const [answer, warnings] = await Promise.all([
      this.#answer(probe),
      probe === "readyz" ? this.#warnings.current() : [],
    ]);
    return { ...answer, warnings };
  }

  /** Without the warnings, which cost a look at the store. */
  async #answer(probe: Probe): Promise<Omit<HealthReport, "warnings">> {
    const own = probe === "livez" ? this.#alive() : probe === "readyz" ? this.#ready() : this.#started();
    const asked = this.#parts.checks.filter((check) => check.probe === probe);
    const checks = [...own, ...(await Promise.all(asked.map((check) => this.#ask(check))))];
    return { probe, ok: checks.every(({ ok }) => ok), checks };
  }

  /** Answers GET and HEAD of any path that ends in `/livez`, `/readyz` or `/startupz`: 200 or 503. */
  readonly handler = async (request: Request, options: HealthHandlerOptions = {}): Promise<Response> => {
    const probe = probeOf(new URL(request.url).pathname);
    if (probe === undefined) return json(404, { status: "unknown path" });
    if (request.method !== "GET" && request.method !== "HEAD") return json(405, { status: "GET only" });
    const bare = request.method === "HEAD";
    if (options.detail !== true) {
      const { ok } = await this.#answer(probe);
      return json(ok ? 200 : 503, { status: statusOf(ok) }, bare);
    }
    const { ok, checks, warnings } = await this.report(probe);
    const also = warnings.length === 0 ? {} : { warnings };
    return json(ok ? 200 : 503, { status: statusOf(ok), checks, ...also }, bare);
  };

  #alive(): HealthReport["checks"] {
    const lag = this.#lag?.worst() ?? 0;
    const { maxLag } = this.#parts;
    const late = `the event loop was blocked for ${formatDuration(lag)}; ${formatDuration(maxLag)} are allowed`;
    const silent = this.#parts.snapshot().services.filter(({ alive }) => !alive);
    return [
      outcome("event loop", lag <= maxLag ? undefined : late),
      ...silent.map(({ name, doing }) =>
        outcome(name, `no heartbeat in time${doing === undefined ? "" : ` (${doing})`}`),
      ),
    ];
  }

  #ready(): HealthReport["checks"] {
    const { services } = this.#parts.snapshot();
    const required = services.filter((service) => service.required);
    return [
      outcome("host", this.#notReady()),
      ...required.map(({ name, state, alive }) => {
        const up = state === "running" || state === "completed";
        return outcome(name, up ? (alive ? undefined : "no heartbeat in time") : state);
      }),
    ];
  }

  #notReady(): string | undefined {
    if (this.#parts.lifetime.stopping.aborted) return "stopping";
    const { state } = this.#parts.snapshot();
    return state === "running" ? undefined : state;
  }

  #started(): HealthReport["checks"] {
    return [outcome("host", this.#parts.lifetime.started.aborted ? undefined : this.#parts.snapshot().state)];
  }

  async #ask({ name, timeout, check }: DeclaredCheck): Promise<HealthReport["checks"][number]> {
    const step = async (signal: AbortSignal) => {
      if ((await check(signal)) === false) throw new Error("failed");
    };
    const { signal } = new AbortController();
    const ended = await bounded(async (given) => step(given), {
      clock: this.#parts.clock,
      signal,
      timeout,
      grace: 0,
      what: name,
    });
    if (ended.kind === "done") return outcome(name, undefined);
    if (ended.kind === "abandoned") return outcome(name, `no answer within ${formatDuration(timeout)}`);
    return outcome(name, messageOf(ended.error));
  }
}

/** Which question a path asks. */
export function probeOf(path: string): Probe | undefined {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last === "livez" || last === "readyz" || last === "startupz" ? last : undefined;
}

function statusOf(ok: boolean): string {
  return ok ? "ok" : "failing";
}

function outcome(name: string, reason: string | undefined): HealthReport["checks"][number] {
  return reason === undefined ? { name, ok: true } : { name, ok: false, reason };
}

function json(status: number, body: unknown, bare = false): Response {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(bare ? null : `${JSON.stringify(body)}\n`, { status, headers });
}
