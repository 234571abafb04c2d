/** Puts an application together: services, hosted services, options. Everything is checked at `build()`. */
import { isDeepStrictEqual } from "node:util";
import { NightshiftError, Problems, show } from "../errors/index.ts";
import { hasMethods, isCallable, isPort, oneOf, optionsOf, textOf } from "../errors/option-checks.ts";
import {
  type Class,
  Clock,
  type Dependency,
  type Injectable,
  type Resolver,
  Services,
  type Token,
  token,
} from "../services/index.ts";
import { assembleHost } from "./assemble.ts";
import {
  type BackgroundQueue,
  type BackgroundQueueOptions,
  checkQueueOptions,
  QUEUE_OPTIONS,
  QueueService,
  type WorkItem,
} from "./background-queue.ts";
import { type AnyService, type Declared, isClass, isService, nameOfService } from "./declared.ts";
import { Health, type HealthCheck, type HealthCheckOptions } from "./health.ts";
import { HealthDeclarations } from "./health-declarations.ts";
import { HealthEndpoint, type HealthEndpointOptions } from "./health-endpoint.ts";
import type { HealthWarnings } from "./health-warnings.ts";
import { Host } from "./host.ts";
import type { HostParts, StartCheck } from "./host-parts.ts";
import { type HttpServer, HttpServerService, type ListenOptions } from "./http-server.ts";
import { LeaderElector } from "./leader.ts";
import type { HostOptions, ServiceOptions } from "./options.ts";
import type { GroupStrategy, ServiceGroupOptions } from "./service-group.ts";
import { readTiming, TIMED_OPTIONS, type TimedOptions, type TimedRun, TimedService } from "./timed-service.ts";

/** Adds a hosted service: a class (made by the container), an instance, or a function that makes one, anew at each restart. */
export interface AddHostedService<Self> {
  (service: AnyService | ((services: Resolver) => AnyService), options?: ServiceOptions): Self;
  <C extends Class<AnyService>>(service: C & Injectable<C>, options?: ServiceOptions): Self;
}

/** What a room above takes part in a build with; see {@link HostBuilder.onBuild}. */
export interface Build {
  /** Where to report what is wrong: it all comes in one error. */
  readonly problems: Problems;
  readonly services: Services;
  readonly addHostedService: AddHostedService<unknown>;
}

/**
 * Puts an application together.
 *
 * @example
 * ```ts
 * import { BackgroundService, createHost } from "nightshift";
 *
 * class Hello extends BackgroundService {
 *   async execute() {
 *     console.log("hello");
 *   }
 * }
 * const builder = createHost({ name: "hello", stopWhenAllCompleted: true });
 * builder.addHostedService(Hello, { restart: "on-failure", stopTimeout: "5s" });
 * await builder.build().run();
 * ```
 */
export class HostBuilder {
  /** Where services are registered. */
  readonly services = new Services();
  #options: HostOptions;
  readonly #declared: Declared[] = [];
  readonly #hooks: ((build: Build) => void)[] = [];
  readonly #checks: StartCheck[] = [];
  readonly #groups = new Map<string, GroupStrategy | ServiceGroupOptions>();
  /** Found while things were declared; reported with the rest at build. */
  readonly #early = new Problems();
  readonly #health = new HealthDeclarations(this.#early);
  #systemd = false;
  #electorRuns: string | undefined;
  #state: "open" | "building" | "built" = "open";

  constructor(options: HostOptions = {}) {
    this.#options = optionsOf(options, "createHost()", this.#early);
  }

  /** Adds a hosted service. The same class twice is one service, unless the names differ. */
  readonly addHostedService: AddHostedService<this> = (
    service: Declared["service"],
    options: ServiceOptions = {},
  ): this => this.#declare(service, options);

  #declare(service: Declared["service"], given: ServiceOptions, own: readonly string[] = []): this {
    this.#refuseWhenBuilt("A hosted service");
    if (!isService(service)) {
      const advice = "Give a class, an instance with start and stop or with execute, or a function that makes one.";
      this.#early.add("NS_SERVICE_INVALID", `addHostedService() got ${show(service)}. ${advice}`);
      return this;
    }
    const options = optionsOf(given, "addHostedService()", this.#early);
    const same = (other: Declared) => other.service === service && other.options.name === options.name;
    const before = isClass(service) ? this.#declared.find(same) : undefined;
    if (before !== undefined) {
      // Once more is no mistake: a part of the application may make sure of it. Other options would be lost.
      if (Object.keys(options).length > 0 && !isDeepStrictEqual(options, before.options)) {
        const advice = "Give the options to one call, or another name to make it a second service.";
        const message = `The service ${before.name} was added before; these options come late. ${advice}`;
        this.#early.add("NS_OPTION_INVALID", message);
      }
      return this;
    }
    const wanted = options.name ?? this.#freeName(nameOfService(service));
    const name = textOf(wanted, "The name of a hosted service", "service", this.#early);
    this.#declared.push({ name, service, options, own });
    return this;
  }

  /**
   * Adds a service that runs something on a rhythm.
   *
   * @example
   * ```ts
   * import { createHost } from "nightshift";
   *
   * class Sessions {
   *   async removeExpired(signal: AbortSignal) {
   *     signal.throwIfAborted();
   *   }
   * }
   * const builder = createHost();
   * builder.services.scoped(Sessions);
   * builder.addTimedService("clean-up", { every: "1m", immediately: true, inject: [Sessions] }, async (tick, sessions) => {
   *   await sessions.removeExpired(tick.signal);
   * });
   * ```
   */
  addTimedService<const D extends readonly Dependency[] = []>(
    name: string,
    options: TimedOptions<D>,
    run: TimedRun<D>,
  ): this {
    const called = textOf(name, "The name of a timed service", "timed", this.#early);
    const what = `The timed service ${called}`;
    const given = optionsOf(options, what, this.#early);
    isCallable(run, `${what}'s run`, this.#early);
    const timing = readTiming(given, what, this.#early);
    const needs = this.#needsOf(called, given.inject);
    const random = () => (this.#options.random ?? Math.random)();
    const make = (services: Resolver) =>
      new TimedService(timing, run as TimedRun<never[]>, needs, { services, clock: services.get(Clock), random });
    return this.#declare(make, { ...given, name: called }, TIMED_OPTIONS);
  }

  /**
   * Adds a bounded queue in memory, and the service that works on it. What is in it is lost with the process: durable
   * work is a job.
   *
   * @returns the queue; it takes items at once and works on them once the host has started
   * @example
   * ```ts
   * import { createHost } from "nightshift";
   *
   * const builder = createHost();
   * const thumbnails = builder.addBackgroundQueue({ name: "thumbnails", concurrency: 2, run: async (file: string) => console.log(file) });
   * await thumbnails.enqueue("cat.png");
   * ```
   */
  addBackgroundQueue<T = WorkItem, const D extends readonly Dependency[] = []>(
    given: BackgroundQueueOptions<T, D> = {},
  ): BackgroundQueue<T> {
    const options = optionsOf(given, "addBackgroundQueue()", this.#early);
    const name = options.name ?? this.#freeName("background-queue");
    checkQueueOptions(options as BackgroundQueueOptions<never>, `The background queue ${name}`, this.#early);
    const needs = this.#needsOf(name, options.inject);
    const queue = new QueueService<T>(options as BackgroundQueueOptions<T>, needs);
    if (options.key !== undefined) this.services.value(options.key, queue);
    this.#declare(
      (services: Resolver) => queue.connect(services),
      { ...options, name } as ServiceOptions,
      QUEUE_OPTIONS,
    );
    return queue;
  }

  /**
   * Adds an HTTP server: it listens when the host starts, and is drained when the host stops, before any service stops.
   * Connections that are still busy after `stopTimeout` (10 s unless you say otherwise) are cut.
   *
   * @example
   * ```ts
   * import { createServer } from "node:http";
   * import { createHost } from "nightshift";
   *
   * const server = createServer((request, response) => void response.end(`hello ${request.url}`));
   * const builder = createHost({ drainDelay: "5s" });
   * builder.addHttpServer(server, { port: 8080, host: "0.0.0.0", stopTimeout: "10s" });
   * ```
   */
  addHttpServer(server: HttpServer, options: ListenOptions & ServiceOptions = {}): this {
    const service = optionsOf(options, "addHttpServer()", this.#early);
    const { port, host } = service;
    const advice = "Give a server of node:http or node:https.";
    hasMethods(server, ["listen", "close", "prependListener"], "The server of addHttpServer()", advice, this.#early);
    this.#checkListen(service, "The HTTP server");
    const listen = { ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) };
    const make = (services: Resolver) => new HttpServerService(server, listen, services.get(Clock));
    const name = service.name ?? this.#freeName("http-server");
    return this.#declare(make, { stopTimeout: "10s", ...service, name } as ServiceOptions, ["port", "host"]);
  }

  /** Adds a check to readiness or liveness. It fails when it throws, gives back `false`, or takes too long. */
  addHealthCheck(name: string, check: HealthCheck, options: HealthCheckOptions = {}): this {
    this.#refuseWhenBuilt("A health check");
    this.#health.addCheck(name, check, options);
    return this;
  }

  /**
   * Adds a source of warnings: what is not as it should be, and is no reason to take the process out of service. They are
   * listed in {@link Health.report} and in the detail of `/readyz`, and never change its status. The source is asked at
   * most once a minute, and has 3 s. `addJobs` adds one that tells what the store finds wrong with itself.
   *
   * @example
   * ```ts
   * import { createHost } from "nightshift";
   *
   * const builder = createHost();
   * builder.addHealthWarnings("disk", () => ["The disk is 90 % full."]);
   * await using host = builder.build();
   * console.log((await host.health.report("readyz")).warnings); // [{ name: "disk", message: "The disk is 90 % full." }]
   * ```
   */
  addHealthWarnings(name: string, source: HealthWarnings): this {
    this.#refuseWhenBuilt("A source of warnings");
    this.#health.addWarnings(name, source);
    return this;
  }

  /** Answers `/livez`, `/readyz` and `/startupz` on a port of its own, from before the first service starts until after the last has stopped. */
  addHealthEndpoint(options: HealthEndpointOptions = {}): this {
    const what = "The health endpoint";
    this.#early.unknownOptions(what, optionsOf(options, what, this.#early), ["port", "host", "detail", "maxLag"]);
    oneOf(options.detail ?? false, [true, false], `${what}'s detail`, this.#early);
    this.#checkListen(options, what);
    this.#health.readMaxLag(options.maxLag);
    this.services.singleton(HealthEndpoint, [Health], (health) => new HealthEndpoint(health, options));
    return this.addHostedService((services: Resolver) => services.get(HealthEndpoint), { name: "health" });
  }

  /** Sets what elects the leaders of `leaderOnly` services, and the service that must run for it: `addJobs` does both. */
  useLeaderElector(elector: LeaderElector, options: { readonly after?: string } = {}): this {
    this.services.value(LeaderElector, elector);
    this.#electorRuns = options.after;
    return this;
  }

  /** Tells systemd when the application is ready, stopping and alive; does nothing where no systemd listens. The unit needs `Type=notify` and `NotifyAccess=all`. */
  useSystemd(): this {
    this.#systemd = true;
    return this;
  }

  /**
   * Declares a group of services that are restarted together; members name it with the option `group`.
   *
   * @param group who is restarted when a member is (it alone, all members, or it and those that started after it); or
   * that as `strategy`, with how many restarts the group bears
   * @example
   * ```ts
   * import { createHost } from "nightshift";
   *
   * const builder = createHost();
   * builder.addServiceGroup("pipeline", { strategy: "one-for-all", maxRestarts: 5, within: "1m" });
   * builder.addHostedService({ execute: () => undefined }, { name: "reader", group: "pipeline", restart: "on-failure" });
   * ```
   */
  addServiceGroup(name: string, group: GroupStrategy | ServiceGroupOptions): this {
    this.#refuseWhenBuilt("A service group");
    if (this.#groups.has(name)) {
      this.#early.add("NS_OPTION_INVALID", `The service group ${name} was declared twice. Declare it once.`);
    }
    this.#groups.set(name, group);
    return this;
  }

  /** Sets options, or runs a callback once at build. What is set last counts. */
  configure(options: HostOptions | ((builder: this) => void)): this {
    if (typeof options === "function") return this.onBuild(() => options(this));
    this.#refuseWhenBuilt("An option");
    this.#options = { ...this.#options, ...optionsOf(options, "configure()", this.#early) };
    return this;
  }

  /** Adds a check that runs when the host starts, before any service does. Throw to refuse the start. */
  addStartCheck(check: StartCheck): this {
    this.#refuseWhenBuilt("A start check");
    isCallable(check, "A start check", this.#early);
    this.#checks.push(check);
    return this;
  }

  /** For what extends the builder: called once at build, before the validation. */
  onBuild(hook: (build: Build) => void): this {
    this.#refuseWhenBuilt("A build hook");
    this.#hooks.push(hook);
    return this;
  }

  /**
   * The host. Nothing has run yet.
   *
   * @throws NS_BUILD_INVALID, listing everything that is wrong; a single problem is thrown as it is
   */
  build(): Host {
    return new Host(this.assemble());
  }

  /** Checks everything and puts the parts of the host together. */
  protected assemble(): HostParts {
    if (this.#state !== "open") {
      throw new NightshiftError("NS_HOST_STATE", "build() was called twice. Make another builder for another host.");
    }
    this.#state = "building";
    const problems = this.#early;
    for (const hook of this.#hooks) {
      problems.attempt(() =>
        hook({
          problems,
          services: this.services,
          addHostedService: this.addHostedService as AddHostedService<unknown>,
        }),
      );
    }
    const parts = assembleHost({
      options: this.#options,
      services: this.services,
      declared: this.#declared,
      groups: this.#groups,
      health: this.#health,
      checks: this.#checks,
      electorRuns: this.#electorRuns,
      systemd: this.#systemd,
      problems,
    });
    this.#state = "built";
    return parts;
  }

  /** The dependencies of a function as one scoped service, so that they are checked at build like everybody's. */
  #needsOf(name: string, inject: readonly Dependency[] = []): Token<readonly unknown[]> {
    const needs = token<readonly unknown[]>(name);
    this.services.scoped(needs, inject, (...dependencies: readonly unknown[]) => dependencies);
    return needs;
  }

  #checkListen({ port, host }: ListenOptions, what: string): void {
    if (port !== undefined) isPort(port, `${what}'s port`, this.#early);
    if (host !== undefined) textOf(host, `${what}'s host`, "", this.#early);
  }

  #refuseWhenBuilt(what: string): void {
    if (this.#state !== "built") return;
    throw new NightshiftError("NS_HOST_STATE", `${what} was added after build(). Add everything before it.`);
  }

  #freeName(wanted: string): string {
    const taken = (name: string) => this.#declared.some((other) => other.name === name);
    if (!taken(wanted)) return wanted;
    let count = 2;
    while (taken(`${wanted} ${count}`)) count++;
    return `${wanted} ${count}`;
  }
}
