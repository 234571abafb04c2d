import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { enqueueOne } from "../../src/testing/store-conformance/worker.ts";
import { TestFolder } from "../store/sqlite/files.ts";
import { startProgram } from "../support/child.ts";
import { acceptedBy, assertIntact } from "./sqlite-support.ts";

test("a file that cannot grow is a clear error, and everything accepted before is there and whole", async () => {
  await using folder = new TestFolder();
  const program = fileURLToPath(new URL("sqlite-process.ts", import.meta.url));
  const command = `ulimit -S -f 3000 && exec "$0" "$@"`;
  const args = [process.execPath, program, "produce", folder.file(), "once=1", "size=20000"];
  await using child = startProgram("bash", ["-c", command, ...args]);
  const [line = ""] = await child.until(/refused .*/);
  assert.match(line, /NS_STORE_FULL.*cannot grow; nothing was written/);
  await child.until(/closed/);
  const store = await folder.open();
  const accepted = acceptedBy(child);
  assert.ok(accepted.length > 5);
  assert.equal((await store.counts()).queues[0]?.ready, accepted.length);
  await enqueueOne(store);
  await store.close();
  assertIntact(folder.file());
});
