/** A hosted service with a loop of its own: says that the shop is alive. */
import { BackgroundService, Logger, ticker } from "nightshift";

export class Heartbeat extends BackgroundService {
  static readonly inject = [Logger] as const;
  readonly #logger: Logger;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  override async execute(stopping: AbortSignal): Promise<void> {
    for await (const _ of ticker("5s", { signal: stopping })) {
      this.#logger.info({ memory: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB` }, "the shop is open");
    }
  }
}
