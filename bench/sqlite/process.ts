/** A process of its own in a benchmark: drains a file, or answers to each job as soon as it hears of it. Starts on "go". */
import { drain, jobOf, openStore, registerWorker, requestOf } from "./ours.ts";

const [mode = "", path = ""] = process.argv.slice(2);
const store = await openStore({ path, durability: "full" });
const instance = await registerWorker(store);

if (mode === "drain") {
  process.once("message", async () => {
    const drained = await drain(store, instance, 200);
    process.send?.({ drained });
    await store.close();
    process.disconnect();
  });
} else {
  // Says when each job was in its hands; the sender knows when it was enqueued.
  // The clock of the machine, which both processes share.
  const monotonic = () => Number(process.hrtime.bigint()) / 1e6;
  let wanted = false;
  let claiming = false;
  const claim = async () => {
    wanted = true;
    if (claiming) return;
    claiming = true;
    while (wanted) {
      wanted = false;
      const leases = await store.claim(instance, requestOf(10));
      for (const { id, jobs } of leases) {
        for (const job of jobs) process.send?.({ job: job.id, at: monotonic() });
        const outcomes = jobs.map((job) => ({ job: job.id, type: "succeeded" as const, ms: 1 }));
        await store.settle(instance, [{ lease: id, outcomes }]);
      }
    }
    claiming = false;
  };
  store.subscribe(() => void claim());
  process.once("message", async () => {
    await store.enqueue([jobOf("end", { queue: "unused" })]);
    await store.close();
    process.disconnect();
  });
}
process.send?.("ready");
