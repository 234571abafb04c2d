/** The demo as a person would run it: for a while, killed in the middle of its work, and started again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { systemClock } from "../../src/time/index.ts";
import { type Child, startNode } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/snippets.ts";

const PROGRAM = ["--conditions=nightshift:source", join(root, "examples", "shop", "main.ts"), "--port", "0"];

function startShop(folder: string, ...more: string[]): Child {
  return startNode([...PROGRAM, "--data", folder, ...more], { cwd: root });
}

async function urlOf(shop: Child): Promise<string> {
  return (await shop.until(/http:\/\/127\.0\.0\.1:\d+/))[0];
}

/** Signs people up, as many at a time as a browser would; returns their customer ids as far as they were accepted. */
async function signUp(url: string, count: number): Promise<number[]> {
  const accepted: number[] = [];
  const one = async (index: number) => {
    const body = JSON.stringify({ name: `Customer ${index}`, email: `customer-${index}@customers.example` });
    const response = await fetch(`${url}/signups`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 201);
    accepted.push(((await response.json()) as { customerId: number }).customerId);
  };
  for (let done = 0; done < count; done += 8) {
    await Promise.all(Array.from({ length: Math.min(8, count - done) }, (_, index) => one(done + index)));
  }
  return accepted;
}

/** The customers whose welcome succeeded, straight from the store. */
async function welcomed(folder: string): Promise<number[]> {
  const store = sqlite(join(folder, "shop.db"));
  await store.open({ clock: systemClock, logger: silentLogger });
  try {
    const ids: number[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await store.listJobs({
        state: "succeeded",
        name: "mail.welcome",
        limit: 500,
        ...(cursor ? { cursor } : {}),
      });
      for (const { id } of page.items) {
        const job = await store.getJob(id);
        ids.push((JSON.parse(job?.input ?? "{}") as { customerId: number }).customerId);
      }
      cursor = page.next;
    }
    return ids;
  } finally {
    await store.close();
  }
}

async function mails(url: string): Promise<{ received: number; repeated: number }> {
  const page = await (await fetch(`${url}/inbox`)).text();
  const [, received, repeated] = /(\d+) mails received, (\d+) of them/.exec(page) ?? [];
  return { received: Number(received), repeated: Number(repeated) };
}

test("the demo runs for the time given, stops gracefully, says what happened, and goes on with the same database", async () => {
  using folder = temporaryFolder();
  await using first = startShop(folder.path, "--for", "8s");
  assert.deepEqual(await first.ended, { code: 0, signal: null }, first.output());
  const [, sent] = /mails sent +(\d+) \(0 of them a second time\)/.exec(first.output()) ?? [];
  assert.ok(Number(sent) > 0, first.output());
  assert.match(first.output(), /jobs succeeded +[1-9]/);
  assert.match(first.output(), /jobs dead +0/);
  assert.match(first.output(), /schedules fired +[1-9]/);

  await using second = startShop(folder.path, "--for", "5s");
  assert.deepEqual(await second.ended, { code: 0, signal: null }, second.output());
  assert.match(second.output(), /mails sent +[1-9]\d* \(0 of them a second time\)/);
  assert.match(second.output(), /jobs dead +0/);
});

test("killed in the middle of work, the demo loses no welcome and repeats only what it could not know", async () => {
  using folder = temporaryFolder();
  let accepted: number[];
  {
    await using shop = startShop(folder.path);
    const url = await urlOf(shop);
    accepted = await signUp(url, 40);
    const more = signUp(url, 200).catch(() => undefined); // cut off by the kill; how far it got does not matter
    await eventually(async () => assert.ok((await mails(url)).received > 20));
    shop.process.kill("SIGKILL");
    assert.deepEqual(await shop.ended, { code: null, signal: "SIGKILL" });
    await more;
  }

  await using shop = startShop(folder.path);
  const url = await urlOf(shop);
  const customers = async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(folder.path, "shop.db"), { readOnly: true });
    const rows = database.prepare("SELECT id FROM customer ORDER BY id").all() as { id: number }[];
    database.close();
    return rows.map((row) => row.id);
  };
  const everybody = await customers();
  assert.ok(
    accepted.every((id) => everybody.includes(id)),
    "a sign-up that was answered is not in the database",
  );
  // Exactly one job for each customer, and each of them succeeds.
  await eventually(
    async () =>
      assert.deepEqual(
        (await welcomed(folder.path)).sort((a, b) => a - b),
        everybody,
      ),
    60_000,
  );

  const { received, repeated } = await mails(url);
  assert.equal(received - repeated, everybody.length, "somebody got no mail");
  shop.process.kill("SIGINT");
  assert.deepEqual(await shop.ended, { code: 0, signal: null }, shop.output());
});
