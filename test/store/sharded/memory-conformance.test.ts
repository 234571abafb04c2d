import { memory } from "../../../src/store/memory/index.ts";
import { ShardedStore } from "../../../src/store/sharded/index.ts";
import { silentLogger } from "../../../src/telemetry/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { storeConformance } from "../../../src/testing/store-conformance/index.ts";

// The queues of the suite, q and r, live apart with these names: random sequences of operations go to both.
storeConformance("two shards of memory", {
  async create() {
    const clock = new VirtualClock();
    const shards = ["one", "two"].map((name) => ({ name, store: memory() }));
    const make = () =>
      new ShardedStore({
        shards,
        queues: new Map([
          ["r", "two"],
          ["q", "one"],
        ]),
        leader: null,
      });
    const store = make();
    const context = { clock, logger: silentLogger };
    await store.open(context);
    return {
      store,
      advance: (milliseconds) => clock.advance(milliseconds),
      jump: (by) => clock.jump(clock.now() + by),
      async second() {
        const other = make();
        await other.open(context);
        return other;
      },
      dispose: () => store.close(),
    };
  },
});
