/** Where exchange rates come from: one HTTP request, checked before it is believed. */
import { z } from "zod";

const Answer = z.object({ base: z.literal("USD"), rates: z.record(z.string().length(3), z.number().positive()) });

export class RatesSource {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The latest rates; rejects when the source fails or answers nonsense. */
  async latest(options: { readonly signal: AbortSignal }): Promise<Readonly<Record<string, number>>> {
    const response = await fetch(this.#url, { signal: options.signal });
    if (!response.ok) throw new Error(`The source of rates answered ${response.status}: ${await response.text()}`);
    return Answer.parse(await response.json()).rates;
  }
}
