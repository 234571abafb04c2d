/** The moments of the application's life, and run(): statements C-049 to C-059. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HostLifetime } from "../../src/hosting/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { disposable, noting, plain, quiet, turns, untilAborted } from "./support.ts";

test("C-049 started is unset before the start and set after it", async () => {
  await using host = quiet().builder.build();
  assert.equal(host.lifetime.started.aborted, false);
  await host.start();
  assert.equal(host.lifetime.started.aborted, true);
  assert.equal(host.lifetime.stopping.aborted, false);
});

test("C-050 every callback runs even if each throws; start and stop do not reject, and the errors are logged", async () => {
  const log: string[] = [];
  const { builder, logger } = quiet();
  await using host = builder.build();
  for (const moment of ["onStarted", "onStopping", "onStopped"] as const) {
    for (const which of [1, 2]) {
      host.lifetime[moment](() => {
        log.push(`${moment} ${which}`);
        if (which === 1) throw new Error("sync");
        return Promise.reject(new Error("async"));
      });
    }
  }
  await host.start();
  await host.stop();
  const expected = ["onStarted 1", "onStarted 2", "onStopping 2", "onStopping 1", "onStopped 2", "onStopped 1"];
  assert.deepEqual(log, expected);
  assert.equal(logger.messages("error").filter((message) => message.includes("callback threw")).length, 6);
});

test("C-051 under run, started callbacks finish before stopping ones, those before stopped ones, and those before run ends", async () => {
  const log: string[] = [];
  const clock = new VirtualClock();
  const { builder } = quiet({ clock });
  const host = builder.build();
  const slowly = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise<void>((resolve) => clock.setTimer(1_000, resolve));
    log.push(`${name} ends`);
  };
  host.lifetime.onStarted(() => host.lifetime.stopApplication());
  host.lifetime.onStarted(slowly("started"));
  host.lifetime.onStopping(slowly("stopping"));
  host.lifetime.onStopped(slowly("stopped"));
  const ran = host.run().then(() => log.push("run ends"));
  await clock.advance("5s");
  await ran;
  const begins = ["started begins", "started ends", "stopping begins", "stopping ends"];
  assert.deepEqual(log, [...begins, "stopped begins", "stopped ends", "run ends"]);
});

test("C-052 stopApplication alone neither stops nor disposes when nobody waits for the shutdown", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  await using host = builder.addHostedService(plain("s", log)).build();
  await host.start();
  host.lifetime.stopApplication();
  await turns();
  assert.equal(host.lifetime.stopping.aborted, true);
  assert.equal(host.lifetime.stopped.aborted, false);
  assert.deepEqual(log, ["s.start"]);
});

test("C-053 aborting run's signal stops and disposes each service once, then run resolves", async () => {
  const log: string[] = [];
  const Service = disposable(log);
  const end = new AbortController();
  const host = quiet().builder.addHostedService(Service).build();
  host.lifetime.onStarted(() => end.abort());
  await host.run({ signal: end.signal });
  assert.deepEqual(log, ["start", "stop", "dispose"]);
});

test("C-054 stopApplication again does not run the callbacks again, and the first reason stays", async () => {
  let count = 0;
  await using host = quiet().builder.build();
  host.lifetime.onStopping(() => void count++);
  await host.start();
  host.lifetime.stopApplication("first");
  host.lifetime.stopApplication("second");
  await host.stop();
  assert.equal(count, 1);
  assert.match(String(host.lifetime.stopping.reason), /first/);
});

test("C-055 a service may inject the lifetime, and it is the host's", async () => {
  class Service {
    static readonly inject = [HostLifetime] as const;
    readonly lifetime: HostLifetime;
    constructor(lifetime: HostLifetime) {
      this.lifetime = lifetime;
    }
    start() {
      this.lifetime.onStarted(() => this.lifetime.stopApplication());
    }
    stop() {
      assert.equal(this.lifetime.stopping.aborted, true);
    }
  }
  const host = quiet().builder.addHostedService(Service).build();
  await host.run();
  assert.equal(host.lifetime.stopped.aborted, true);
});

test("C-056 registering a lifetime of one's own is refused at build", () => {
  const { builder } = quiet();
  builder.services.singleton(HostLifetime, [], () => assert.fail());
  assert.throws(() => builder.build(), /HostLifetime is the host's own and cannot be registered/);
});

test("C-057 run disposes the host, also when the start rejects", async () => {
  const log: string[] = [];
  class Fails {
    start() {
      throw new Error("boom");
    }
    stop() {
      log.push("stop");
    }
    [Symbol.dispose]() {
      log.push("dispose");
    }
  }
  const host = quiet().builder.addHostedService(Fails).build();
  await assert.rejects(host.run(), { message: "boom" });
  assert.deepEqual(log, ["dispose"]);
  assert.equal(host.snapshot().state, "disposed");
});

test("C-058 asked to stop, stopping fires before any service's stopping phase", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  const host = builder.addHostedService(noting("s", log)).build();
  host.lifetime.stopping.addEventListener("abort", () => log.push("stopping fired"));
  host.lifetime.onStarted(() => host.lifetime.stopApplication());
  await host.run();
  assert.ok(log.indexOf("stopping fired") < log.indexOf("s.stopping"));
  assert.ok(log.includes("s.stopping"));
});

test("C-059 a stop asked for while a later service is starting lets it finish, then stops both", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { builder } = quiet();
  builder.addHostedService(plain("a", log), { name: "a" });
  builder.addHostedService(plain("b", log, { start: () => gate.promise }), { name: "b" });
  await using host = builder.build();
  const started = host.start();
  await turns();
  const stopped = host.stop();
  gate.resolve();
  await started;
  await stopped;
  assert.deepEqual(log, ["a.start", "b.start", "b.stop", "a.stop"]);
});

test("run ends cleanly when the application is asked to stop while services are still starting", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  builder.addHostedService(plain("a", log), { name: "a" });
  const start = async (signal: AbortSignal) => {
    host.lifetime.stopApplication();
    signal.throwIfAborted();
  };
  const host = builder.addHostedService(plain("b", log, { start }), { name: "b" }).build();
  await host.run();
  assert.deepEqual(log, ["a.start", "b.start", "a.stop"]);
});

test("a callback that never ends does not hold the stop for ever", async () => {
  const clock = new VirtualClock();
  const { builder, logger } = quiet({ clock, shutdownTimeout: "5s" });
  await using host = builder.build();
  host.lifetime.onStopping(() => new Promise<void>(() => undefined));
  await host.start();
  const stopped = host.stop();
  await clock.advance("6s");
  await stopped;
  assert.ok(logger.messages("error").some((message) => /stopping callbacks did not finish/.test(message)));
});

test("run with a signal that is aborted before or during the start ends well, like any other request to stop", async () => {
  const log: string[] = [];
  const before = quiet().builder.addHostedService(plain("s", log), { name: "s" }).build();
  await before.run({ signal: AbortSignal.abort("enough") });
  assert.deepEqual(log, []);
  const during = new AbortController();
  const { builder, logger } = quiet();
  builder.addHostedService(plain("first", log), { name: "first" });
  const slow = plain("slow", log, {
    start: (signal) => {
      during.abort("enough");
      return untilAborted(signal);
    },
  });
  await builder.addHostedService(slow, { name: "slow" }).build().run({ signal: during.signal });
  assert.deepEqual(log, ["first.start", "slow.start", "first.stop"]);
  assert.deepEqual(logger.messages("error"), []);
});

test("a started callback that never ends does not keep the application from stopping", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const host = quiet({ clock }).builder.addHostedService(plain("s", log), { name: "s" }).build();
  host.lifetime.onStarted(() => new Promise(() => undefined));
  host.lifetime.onStopping(() => void log.push("stopping"));
  const ran = host.run();
  await clock.advance("1m");
  assert.deepEqual(log, ["s.start"]);
  host.lifetime.stopApplication();
  await clock.advance("11s");
  await ran;
  assert.deepEqual(log, ["s.start", "stopping", "s.stop"]);
});
