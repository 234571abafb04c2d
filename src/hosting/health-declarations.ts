/** The health checks and sources of warnings of an application, as they are declared to its builder. */
import type { Problems } from "../errors/index.ts";
import { isCallable, oneOf, optionsOf, textOf } from "../errors/option-checks.ts";
import { type Duration, parseDuration } from "../time/index.ts";
import type { DeclaredCheck, HealthCheck, HealthCheckOptions } from "./health.ts";
import type { DeclaredWarnings, HealthWarnings } from "./health-warnings.ts";

export class HealthDeclarations {
  readonly checks: DeclaredCheck[] = [];
  readonly warnings: DeclaredWarnings[] = [];
  maxLag = parseDuration("10s");
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  addCheck(name: string, check: HealthCheck, options: HealthCheckOptions): void {
    const what = this.#named("The health check", name, this.checks);
    isCallable(check, what, this.#problems);
    this.#problems.unknownOptions(what, optionsOf(options, what, this.#problems), ["probe", "timeout"]);
    const probe = options.probe ?? "readyz";
    oneOf(probe, ["readyz", "livez"], `${what}'s probe`, this.#problems);
    const timeout = this.#duration(options.timeout ?? "3s", `${what}'s timeout`) ?? 0;
    this.checks.push({ name, probe, timeout, check });
  }

  addWarnings(name: string, source: HealthWarnings): void {
    isCallable(source, this.#named("The source of warnings", name, this.warnings), this.#problems);
    this.warnings.push({ name, source });
  }

  readMaxLag(value: Duration | undefined): void {
    this.maxLag = this.#duration(value ?? "10s", "The health endpoint's maxLag") ?? this.maxLag;
  }

  #named(kind: string, name: string, others: readonly { readonly name: string }[]): string {
    const what = `${kind} ${textOf(name, `The name of ${kind.replace("The", "a")}`, "?", this.#problems)}`;
    if (others.some((other) => other.name === name)) {
      this.#problems.add("NS_OPTION_INVALID", `${what} was added twice. Give one another name.`);
    }
    return what;
  }

  #duration(value: Duration, what: string): number | undefined {
    return this.#problems.attempt(() => parseDuration(value, what));
  }
}
