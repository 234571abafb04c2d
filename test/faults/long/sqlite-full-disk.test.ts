import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { hasCode, newJob } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "../../store/sqlite/files.ts";
import { assertIntact } from "../sqlite-support.ts";

test("a store on a full disk says so and goes on as soon as there is space (needs the right to mount)", async () => {
  await using folder = new TestFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder.path]);
  try {
    const store = await folder.open();
    await store.enqueue([newJob()]);
    const { bavail, bsize } = statfsSync(folder.path);
    writeFileSync(folder.file("filler"), Buffer.alloc(bavail * bsize - 600_000));
    const big = () =>
      store.enqueue(Array.from({ length: 20 }, () => newJob({ input: JSON.stringify("x".repeat(10_000)) })));
    let accepted = 1;
    const fill = async () => {
      for (let n = 0; n < 1_000; n++, accepted += 20) await big();
    };
    await assert.rejects(fill(), hasCode("NS_STORE_FULL"));
    await assert.rejects(big(), hasCode("NS_STORE_FULL"));
    assert.equal((await store.counts()).queues[0]?.ready, accepted);
    rmSync(folder.file("filler"));
    await big();
    assert.equal((await store.counts()).queues[0]?.ready, accepted + 20);
    await store.close();
    assertIntact(folder.file());
  } finally {
    execFileSync("umount", ["-l", folder.path]);
  }
});
