/** The contract, without waiting for the disk: what `full` adds is tried by the fault tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "../../../src/store/sqlite/index.ts";
import { capturingLogger, VirtualClock } from "../../../src/testing/index.ts";
import { storeConformance } from "../../../src/testing/store-conformance/index.ts";

storeConformance("sqlite", {
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-"));
    const clock = new VirtualClock();
    const open = async () => {
      const store = sqlite({ path: join(folder, "test.db"), pollInterval: 20, durability: "normal" });
      await store.open({ clock, logger: capturingLogger() });
      return store;
    };
    const store = await open();
    return {
      store,
      advance: (milliseconds) => clock.advance(milliseconds),
      jump: (by) => clock.jump(clock.now() + by),
      second: open,
      async dispose() {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
});
