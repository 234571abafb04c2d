/** What the tests run in a thread: counts without giving way to the thread's own timers, and says so. */
import type { ThreadContext } from "../../../src/hosting/index.ts";

export async function execute(stopping: AbortSignal, context: ThreadContext): Promise<void> {
  const what = context.data;
  if (what === "fail") throw new Error("the thread failed");
  if (what === "end") return;
  for (let round = 0; !stopping.aborted; round++) {
    const until = performance.now() + 5;
    while (performance.now() < until);
    context.beat(`round ${round}`);
    while (what === "deaf");
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
