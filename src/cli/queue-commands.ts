/** `nightshift pause` and `resume`: queues, for all processes at once. */
import { NightshiftError } from "../errors/index.ts";
import type { QueueCounts, Store } from "../store/contract.ts";
import { withStore } from "./care-commands.ts";
import { type Command, needed, readArguments } from "./command.ts";

const PAUSE_USAGE = `nightshift pause --store sqlite:shop.db --queue mail [--schema name] [--reason text]
  No process begins a job of the queue any more until it is resumed. What runs goes on; what is enqueued waits.`;

export const pauseCommand: Command = {
  about: "stops beginning jobs of a queue",
  usage: PAUSE_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema", "queue", "reason"] }, PAUSE_USAGE);
    const queue = needed(given, "queue", PAUSE_USAGE);
    return withStore(given, PAUSE_USAGE, terminal, async (store) => {
      await store.pauseQueue(queue, given.value("reason"));
      terminal.say(`${queue} is paused.`);
      return 0;
    });
  },
};

const RESUME_USAGE = `nightshift resume --store sqlite:shop.db (--queue mail | --all) [--schema name]
  Jobs of the queue are begun again.
  --all   every queue that is paused, whoever paused it; each is named with the reason it had`;

export const resumeCommand: Command = {
  about: "goes on with a paused queue",
  usage: RESUME_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema", "queue"], flags: ["all"] }, RESUME_USAGE);
    const queue = given.value("queue");
    if ((queue === undefined) !== given.flag("all")) {
      throw new NightshiftError("NS_OPTION_INVALID", `Give either --queue or --all.\n\n${RESUME_USAGE}`);
    }
    return withStore(given, RESUME_USAGE, terminal, async (store) => {
      const paused = await pausedQueues(store);
      const wanted = queue === undefined ? paused : paused.filter((one) => one.queue === queue);
      for (const one of wanted) {
        await store.resumeQueue(one.queue);
        const reason = one.paused?.reason ?? null;
        terminal.say(`${one.queue} goes on${reason === null ? "" : `; it was paused: ${reason}`}.`);
      }
      if (wanted.length === 0) terminal.say(queue === undefined ? "No queue is paused." : `${queue} is not paused.`);
      return 0;
    });
  },
};

async function pausedQueues(store: Store): Promise<readonly QueueCounts[]> {
  return (await store.counts()).queues.filter(({ paused }) => paused !== null);
}
