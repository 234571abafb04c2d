import assert from "node:assert/strict";
import { test } from "node:test";
import { type Host, type HostOptions, type ServiceOptions, threaded } from "../../src/hosting/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { eventually } from "../support/eventually.ts";
import { errorOf, quiet } from "./support.ts";

const MODULE = new URL("./programs/counting-thread.ts", import.meta.url);

function hostWith(data: string, options: ServiceOptions = {}, module = MODULE, given: HostOptions = {}): Host {
  return quiet(given)
    .builder.addHostedService(threaded(module, { data }), { name: "thread", ...options })
    .build();
}

const service = (host: Host) => host.snapshot().services[0];

test("C-068 a synchronously busy execute in a thread blocks neither the start nor the stop, and beats", async () => {
  await using host = hostWith("count");
  await host.start();
  await eventually(() => assert.match(service(host)?.doing ?? "", /round \d/));
  await host.stop();
  assert.equal(service(host)?.state, "stopped");
});

test("a thread that never looks is ended when the time for stopping is over", async () => {
  // Its time stands still after that: however long the machine takes to end the thread, the host goes on waiting for it.
  const clock = new VirtualClock();
  await using host = hostWith("deaf", { stopTimeout: 100 }, MODULE, { clock });
  await host.start();
  await eventually(() => assert.match(service(host)?.doing ?? "", /round/));
  const ended = assert.rejects(host.stop(), { code: "NS_SERVICE_ABANDONED", message: /its thread was ended/ });
  await clock.advance(100);
  await ended;
});

test("a thread that ends is completed; one that fails, fails as any service does", async () => {
  await using ended = hostWith("end");
  await ended.start();
  await eventually(() => assert.equal(service(ended)?.state, "completed"));
  await ended.stop();
  assert.match(String(await errorOf(hostWith("fail").run())), /the thread failed/);
});

test("a module that cannot be loaded, or has no execute, is why the start rejects", async () => {
  const missing = hostWith("", {}, new URL("./programs/nowhere.ts", import.meta.url));
  assert.match(String(await errorOf(missing.run())), /nowhere/);
  const wrong = hostWith("", {}, new URL("./without-meaning.ts", import.meta.url));
  assert.match(String(await errorOf(wrong.run())), /exports no function called execute/);
});
