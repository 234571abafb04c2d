/** The instance behind a service: where it comes from, which phases it has, and when it is disposed. */
import { NightshiftError, show } from "../errors/index.ts";
import type { Container, Key, Resolver, Scope } from "../services/index.ts";
import { ExecutableService } from "./background-service.ts";
import type { Executable, HostedService, StartPhase, StopPhase } from "./hosted-service.ts";

/** Where instances come from. */
export interface InstanceSource {
  /** Gives the instance when the host starts. */
  readonly create: (resolver: Resolver) => HostedService | Executable;
  /** What the container must prepare for it. */
  readonly key: Key | undefined;
  /** Made by a function of its own: in a scope of its own, anew at each restart. */
  readonly own: boolean;
}

/** Holds the instance. */
export class ServiceInstance {
  readonly #source: InstanceSource;
  readonly #name: string;
  #container: Container | undefined;
  #scope: Scope | undefined;
  #service: HostedService | undefined;

  constructor(source: InstanceSource, name: string) {
    this.#source = source;
    this.#name = name;
  }

  get service(): HostedService | undefined {
    return this.#service;
  }

  /** Makes the instance. Constructors run here. */
  create(container: Container): void {
    this.#container = container;
    const { own, create } = this.#source;
    this.#scope = own ? container.createScope() : undefined;
    this.#service = asHostedService(create(this.#scope ?? container), this.#name);
  }

  /** For a restart: disposes and makes anew what a function made. Others may hold what the container or the caller made: it stays. */
  async renew(): Promise<void> {
    if (!this.#source.own || this.#container === undefined) return;
    await this.release();
    this.create(this.#container);
  }

  /** Disposes what a function made. Throws what its disposal throws. */
  async release(): Promise<void> {
    const scope = this.#scope;
    this.#scope = undefined;
    await scope?.[Symbol.asyncDispose]();
  }
}

/** Makes a service of what only has an `execute`; refuses what has neither. */
export function asHostedService(made: unknown, name: string): HostedService {
  const given = made as Partial<HostedService & Executable> | null | undefined;
  if (typeof given?.start === "function") return given as HostedService;
  if (typeof given?.execute === "function") return new ExecutableService(given as Executable);
  const advice = "Give something with start and stop, or with execute; a function must give it at once, not a promise.";
  throw new NightshiftError("NS_SERVICE_INVALID", `The service ${name} is ${show(made)}. ${advice}`);
}

/** A phase of a service, if it has it. A field of the same name that is no function (`started = false`, say) is its own business. */
export function phaseOf(service: HostedService, phase: StartPhase | StopPhase) {
  const step: unknown = service[phase];
  return typeof step === "function" ? (signal: AbortSignal): unknown => step.call(service, signal) : undefined;
}
