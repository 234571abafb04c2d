/** A little traffic for a demo run: customers who sign up over HTTP, buy things and log in, then the end of the run. */
import { setTimeout as wait } from "node:timers/promises";
import { BackgroundService, HostLifetime, Logger, ScopeFactory, ticker } from "nightshift";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { Settings } from "../settings.ts";
import { WebServer } from "../web/web-server.ts";

const NAMES = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Margaret", "Tony", "Frances", "Alan", "Radia"];

export class Traffic extends BackgroundService {
  static readonly inject = [WebServer, ScopeFactory, HostLifetime, Logger, Settings] as const;
  readonly #web: WebServer;
  readonly #scopes: ScopeFactory;
  readonly #lifetime: HostLifetime;
  readonly #logger: Logger;
  readonly #length: number;

  constructor(web: WebServer, scopes: ScopeFactory, lifetime: HostLifetime, logger: Logger, settings: Settings) {
    super();
    this.#web = web;
    this.#scopes = scopes;
    this.#lifetime = lifetime;
    this.#logger = logger;
    this.#length = settings.stopAfter ?? 0;
  }

  override async execute(stopping: AbortSignal): Promise<void> {
    // The last moments are quiet, so that what was begun can end before the shop closes.
    const evening = new AbortController();
    const visitors = this.#visit(AbortSignal.any([stopping, evening.signal]));
    const clock = pause(this.#length * 0.8, stopping).then(() => evening.abort());
    await Promise.all([visitors, clock]);
    await pause(this.#length * 0.2, stopping);
    if (!stopping.aborted) this.#lifetime.stopApplication(`the demo ran for ${this.#length / 1_000} s`);
  }

  async #visit(end: AbortSignal): Promise<void> {
    for await (const _ of ticker("250ms", { signal: end })) {
      const name = NAMES[Math.floor(Math.random() * NAMES.length)] ?? "Ada";
      const customerId = await this.#signUp(name).catch((error: unknown) => {
        this.#logger.warn({ err: error }, "a visitor could not sign up");
      });
      if (customerId !== undefined) await this.#buyAndLogIn(customerId);
    }
  }

  async #signUp(name: string): Promise<number> {
    const response = await fetch(`${this.#web.url}/signups`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, email: `${name.toLowerCase()}@customers.example` }),
    });
    if (!response.ok) throw new Error(`Signing up failed: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { customerId: number }).customerId;
  }

  /** What the till and the login page would write. */
  async #buyAndLogIn(customerId: number): Promise<void> {
    await using scope = this.#scopes.createScope();
    const database = scope.get(UnitOfWork);
    const cents = 100 + Math.floor(Math.random() * 9_900);
    if (customerId % 2 === 0) {
      database.run(
        "INSERT INTO purchase (customer_id, cents, bought_at) VALUES (?, ?, ?)",
        customerId,
        cents,
        Date.now(),
      );
    }
    database.run("INSERT INTO login_session (customer_id, expires_at) VALUES (?, ?)", customerId, Date.now() + 2_000);
  }
}

/** Waits, or returns early when the shop closes. */
async function pause(milliseconds: number, stopping: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal: stopping }).catch((error: unknown) => {
    if (!stopping.aborted) throw error;
  });
}
