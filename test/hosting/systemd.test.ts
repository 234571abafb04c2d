/** The service manager is told: statement C-096. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { notifySystemd } from "../../src/hosting/systemd.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { startNode } from "../support/child.ts";
import { temporaryFolder } from "../support/folder.ts";
import { quiet } from "./support.ts";

async function told(env: Record<string, string>, fails = false) {
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock });
  let alive = true;
  builder.addHealthCheck("alive", () => alive, { probe: "livez" });
  await using host = builder.build();
  const seen: string[] = [];
  const notify = (state: string) => {
    seen.push(state);
    return fails ? Promise.reject(new Error("no socket")) : Promise.resolve();
  };
  notifySystemd({ lifetime: host.lifetime, health: host.health, clock, logger, env, notify });
  await host.start();
  await clock.advance("25s");
  alive = false;
  await clock.advance("20s");
  await host.stop();
  return { seen, logger };
}

test("C-096 systemd is told READY once after the start and STOPPING once at the stop; nothing without a socket", async () => {
  assert.deepEqual((await told({ NOTIFY_SOCKET: "/run/systemd/notify" })).seen, ["READY=1", "STOPPING=1"]);
  assert.deepEqual((await told({})).seen, []);
});

test("the watchdog is fed at half its time, as long as the application is alive", async () => {
  const { seen, logger } = await told({ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "20000000" });
  assert.deepEqual(seen, ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]);
  assert.ok(logger.messages("error").some((message) => /watchdog/.test(message)));
});

test("a systemd that cannot be told harms nothing, and is logged", async () => {
  const { logger } = await told({ NOTIFY_SOCKET: "/run/systemd/notify" }, true);
  assert.equal(logger.messages("warn").length, 2);
});

test("a real process tells through systemd's own tool", async () => {
  using folder = temporaryFolder();
  const tool = join(folder.path, "systemd-notify");
  const log = join(folder.path, "log");
  writeFileSync(tool, `#!/bin/sh\necho "$@" >> ${log}\n`);
  chmodSync(tool, 0o755);
  const env = { NOTIFY_SOCKET: "/nowhere", PATH: `${folder.path}${delimiter}${process.env["PATH"]}` };
  await using child = startNode([join(import.meta.dirname, "programs", "process.ts"), "systemd"], { env });
  await child.until(/ready/);
  child.process.kill("SIGTERM");
  assert.equal((await child.ended).code, 0);
  const pid = child.process.pid;
  assert.equal(readFileSync(log, "utf8"), `--pid=${pid} READY=1\n--pid=${pid} STOPPING=1\n`);
});
