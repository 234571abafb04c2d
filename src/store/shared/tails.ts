/** The last three digits of numbers, as text. Ids made of a shared beginning and one of these take half the memory: decision 064. */
export const TAILS: readonly string[] = Array.from({ length: 1_000 }, (_, tail) => String(tail).padStart(3, "0"));
