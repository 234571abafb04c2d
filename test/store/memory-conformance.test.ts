import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger, VirtualClock } from "../../src/testing/index.ts";
import { storeConformance } from "../../src/testing/store-conformance/index.ts";

storeConformance("memory", {
  async create() {
    const clock = new VirtualClock();
    const store = memory();
    await store.open({ clock, logger: capturingLogger() });
    return {
      store,
      advance: (milliseconds) => clock.advance(milliseconds),
      jump: (by) => clock.jump(clock.now() + by),
      dispose: () => store.close(),
    };
  },
});
