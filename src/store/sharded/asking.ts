/** Asking several shards at once: those that do not answer do not keep the others waiting. */
import { NightshiftError } from "../../errors/index.ts";
import type { Clock, Timer } from "../../time/index.ts";
import type { Store } from "../contract.ts";
import { isPassing, type Shard } from "./shard.ts";

/** What one shard said. */
export type Answer<T> =
  | { readonly shard: Shard; readonly ok: true; readonly value: T }
  /** One that was away was not asked: it has certainly done nothing. */
  | { readonly shard: Shard; readonly ok: false; readonly error: unknown; readonly asked: boolean };

export interface Asking<T> {
  readonly clock: Clock;
  /** How long one shard may keep those waiting that have answered, in milliseconds. */
  readonly patience: number;
  /** Called with an answer that came after nobody waited any more. */
  late?(shard: Shard, value: T): void;
}

/**
 * The shards' answers, in the order given. One that is away is not asked, and one that has not answered in time, counted
 * from the first answer, is one that failed: while nobody has answered, nobody is kept waiting.
 */
export async function ask<T>(
  shards: readonly Shard[],
  work: (store: Store, shard: Shard) => Promise<T>,
  { clock, patience, late }: Asking<T>,
): Promise<readonly Answer<T>[]> {
  const answers: (Answer<T> | undefined)[] = [];
  const answered = new Answered();
  let over = false;
  const waits = shards.map(async (shard, index) => {
    if (shard.isAway) {
      answers[index] = { shard, ok: false, error: shard.awayError(), asked: false };
      return;
    }
    const answer = shard
      .run((store) => work(store, shard))
      .then(
        (value): void => {
          answered.tell();
          if (over) late?.(shard, value);
          else answers[index] = { shard, ok: true, value };
        },
        (error: unknown): void => {
          answers[index] = { shard, ok: false, error, asked: true };
        },
      );
    await shard.unlessAway(answer);
  });
  await answered.wait(waits, clock, patience);
  over = true;
  return shards.map((shard, index) => answers[index] ?? { shard, ok: false, error: overdue(shard), asked: true });
}

/** The values of those that answered. Rejects when none did, or one refused what it was given. */
export function valuesOf<T>(answers: readonly Answer<T>[]): readonly { readonly shard: Shard; readonly value: T }[] {
  const refusal = answers.find((answer) => !answer.ok && !isPassing(answer.error));
  if (refusal?.ok === false) throw refusal.error;
  const good = answers.flatMap((answer) => (answer.ok ? [{ shard: answer.shard, value: answer.value }] : []));
  const [first] = answers;
  if (good.length === 0 && first?.ok === false) throw first.error;
  return good;
}

/** The values, when all of them answered; rejects otherwise. */
export function allValuesOf<T>(answers: readonly Answer<T>[]): readonly { readonly shard: Shard; readonly value: T }[] {
  const failed = answers.find((answer) => !answer.ok);
  if (failed?.ok === false) throw failed.error;
  return valuesOf(answers);
}

/** The first answer of several: from then on the others are waited for only so long. */
export class Answered {
  readonly #first = Promise.withResolvers<void>();

  /** Somebody has answered. */
  tell(): void {
    this.#first.resolve();
  }

  /** Waits for all, but not for longer than this once one of them has answered. */
  async wait(waits: readonly Promise<unknown>[], clock: Clock, patience: number): Promise<void> {
    let timer: Timer | undefined;
    let over = false;
    const enough = this.#first.promise.then(
      () =>
        new Promise<void>((resolve) => {
          if (!over) timer = clock.setTimer(patience, resolve, { ref: false });
        }),
    );
    await Promise.race([Promise.all(waits), enough]);
    over = true;
    timer?.cancel();
  }
}

export function overdue(shard: Shard): NightshiftError {
  const { location } = shard.store.info();
  return new NightshiftError("NS_STORE_UNAVAILABLE", `Shard ${shard.name} (${location}) has not answered in time.`);
}
