/** Waiting for facts: what is asserted must come true before a deadline. No test sleeps for a guess. */
import { setTimeout as wait } from "node:timers/promises";

/** Repeats a check until it passes; after `within` milliseconds its last failure is thrown. */
export async function eventually(check: () => void | Promise<void>, within = 20_000): Promise<void> {
  const deadline = performance.now() + within;
  for (let pause = 5; ; pause = Math.min(100, pause * 1.5)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await wait(pause);
  }
}
