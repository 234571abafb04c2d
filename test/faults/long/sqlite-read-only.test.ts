import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { enqueueOne, hasCode } from "../../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "../../store/sqlite/files.ts";
import { eventually } from "../../support/eventually.ts";
import { assertIntact } from "../sqlite-support.ts";

test("a file system that becomes read-only is a clear error, and is written to again when it can be (needs the right to mount)", async () => {
  await using folder = new TestFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder.path]);
  try {
    const first = await folder.open();
    const id = await enqueueOne(first);
    await first.close();
    execFileSync("mount", ["-o", "remount,ro", folder.path]);
    await assert.rejects(folder.open(), hasCode("NS_STORE_UNAVAILABLE"));
    execFileSync("mount", ["-o", "remount,rw", folder.path]);
    const store = await folder.open();
    await eventually(async () => assert.ok((await enqueueOne(store)) > id));
    await store.close();
    assertIntact(folder.file());
  } finally {
    execFileSync("umount", ["-l", folder.path]);
  }
});
