/** Declaring services, options and environment; disposal of the host: statements C-029 and C-097 to C-107. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NightshiftError, problemsOf } from "../../src/errors/index.ts";
import { Configuration, HostBuilder, type HostOptions } from "../../src/hosting/index.ts";
import { Resolver, token } from "../../src/services/index.ts";
import { capturingLogger, Logger } from "../../src/telemetry/index.ts";
import { VirtualClock } from "../../src/time/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { plain, quiet, untilAborted } from "./support.ts";

class Counting {
  static made = 0;
  starts = 0;
  constructor() {
    Counting.made++;
  }
  start() {
    this.starts++;
  }
  stop() {
    this.starts += 0;
  }
}

const fromEnv = (env: Record<string, string>, options: HostOptions = {}) => {
  return new HostBuilder({
    signals: false,
    logger: capturingLogger(),
    configuration: { env, file: false },
    ...options,
  });
};

function problemsIn(builder: HostBuilder): string[] {
  try {
    builder.build();
  } catch (error) {
    assert.ok(error instanceof NightshiftError);
    return problemsOf(error).map(({ message }) => message);
  }
  return [];
}

test("C-029 concurrency and timeouts are readable from the environment", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const clock = new VirtualClock();
  const builder = fromEnv(
    {
      NIGHTSHIFT_START_CONCURRENTLY: "true",
      NIGHTSHIFT_STOP_CONCURRENTLY: "1",
      NIGHTSHIFT_SHUTDOWN_TIMEOUT: "7s",
      NIGHTSHIFT_STARTUP_TIMEOUT: "60000",
    },
    { clock },
  );
  for (const name of ["a", "b"]) {
    builder.addHostedService(plain(name, log, { start: () => gate.promise, stop: untilAborted }), { name });
  }
  await using host = builder.build();
  const started = host.start();
  await clock.advance(0);
  assert.deepEqual(log, ["a.start", "b.start"]);
  gate.resolve();
  await started;
  const stopped = assert.rejects(host.stop(), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.match(String(error.errors[0]), /did not stop within 7s/);
    return true;
  });
  await clock.advance("7s");
  await stopped;
  const slow = fromEnv({ NIGHTSHIFT_STARTUP_TIMEOUT: "500" }, { clock }).addHostedService(
    plain("s", [], { start: untilAborted }),
  );
  await using other = slow.build();
  const failed = assert.rejects(other.start(), /did not start within 500ms/);
  await clock.advance("1s");
  await failed;
});

test("C-097 the same class twice is one service, started once; with names, it is several", async () => {
  Counting.made = 0;
  await using host = quiet().builder.addHostedService(Counting).addHostedService(Counting).build();
  await host.start();
  assert.equal(Counting.made, 1);
  assert.equal(host.services.get(Counting).starts, 1);
  Counting.made = 0;
  const named = quiet().builder.addHostedService(Counting, { name: "one" }).addHostedService(Counting, { name: "two" });
  await using two = named.build();
  await two.start();
  assert.equal(Counting.made, 2);
  const names = two.snapshot().services.map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(names, ["one running", "two running"]);
});

test("C-098 classes, instances and functions that make one all run", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  builder.addHostedService(Counting);
  builder.addHostedService(plain("instance", log));
  builder.addHostedService((services) => plain(`made ${services.get(Counting).starts}`, log), { name: "made" });
  await using host = builder.build();
  await host.start();
  assert.equal(host.services.get(Counting).starts, 1);
  assert.deepEqual(log, ["instance.start", "made 0.start"]);
});

test("C-099 the instance that the container gives is the one that the host runs", async () => {
  const { builder } = quiet();
  builder.services.singleton(Counting);
  await using host = builder.addHostedService(Counting).build();
  const before = host.services.get(Counting);
  await host.start();
  assert.equal(before.starts, 1);
  const { builder: unregistered } = quiet();
  await using other = unregistered.addHostedService(Counting).build();
  await other.start();
  assert.equal(other.services.get(Counting).starts, 1);
});

test("C-100 services take singletons, by class or from a function", async () => {
  class Uses {
    static readonly inject = [Counting] as const;
    readonly counting: Counting;
    constructor(counting: Counting) {
      this.counting = counting;
    }
    start() {
      this.counting.start();
    }
    stop() {
      this.counting.stop();
    }
  }
  const { builder } = quiet();
  builder.services.singleton(Counting);
  builder.addHostedService(Uses);
  builder.addHostedService((services) => new Uses(services.get(Counting)), { name: "made" });
  await using host = builder.build();
  await host.start();
  assert.equal(host.services.get(Counting).starts, 2);
});

test("C-101 configuration callbacks run exactly once", async () => {
  let count = 0;
  const { builder } = quiet();
  builder.configure((given) => {
    count++;
    given.services.value(token<number>("n"), 1);
  });
  await using host = builder.build();
  await host.start();
  assert.equal(count, 1);
});

test("C-102 the environment is Production unless set; what is set last counts, without regard to case", () => {
  assert.equal(fromEnv({}).build().environment, "Production");
  assert.equal(fromEnv({ NIGHTSHIFT_ENVIRONMENT: "Staging" }).build().environment, "Staging");
  const set = fromEnv({ NIGHTSHIFT_ENVIRONMENT: "Staging" })
    .configure({ environment: "One" })
    .configure({ environment: "Two" });
  const host = set.build();
  assert.equal(host.environment, "Two");
  assert.equal(host.isEnvironment("TWO"), true);
  assert.equal(host.isEnvironment("one"), false);
});

test("C-103 stop disposes neither singletons nor transients; disposing the host disposes both", async () => {
  const log: string[] = [];
  const [Single, Transient] = [token<Disposable>("single"), token<Disposable>("transient")];
  const { builder } = quiet();
  builder.services.singleton(Single, [], () => ({ [Symbol.dispose]: () => void log.push("single") }));
  builder.services.transient(Transient, [], () => ({ [Symbol.dispose]: () => void log.push("transient") }));
  const host = builder.build();
  await host.start();
  host.services.get(Single);
  host.services.get(Transient);
  await host.stop();
  assert.deepEqual(log, []);
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["transient", "single"]);
});

test("C-104 disposing a running host without a stop calls no service's stop", async () => {
  const log: string[] = [];
  const host = quiet().builder.addHostedService(plain("s", log)).build();
  await host.start();
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["s.start"]);
});

test("C-105 a service with an asynchronous disposal gets it, and it is awaited", async () => {
  const log: string[] = [];
  class Service {
    start() {
      log.push("start");
    }
    stop() {
      log.push("stop");
    }
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      log.push("disposed");
    }
    [Symbol.dispose]() {
      log.push("the wrong one");
    }
  }
  const host = quiet().builder.addHostedService(Service).build();
  await host.start();
  await host.stop();
  await host[Symbol.asyncDispose]();
  assert.deepEqual(log, ["start", "stop", "disposed"]);
});

test("C-107 a scoped service asked of the root is refused, and what cannot be resolved fails the build, in every environment", async () => {
  for (const environment of ["Development", "Production"]) {
    const { builder } = quiet({ environment });
    builder.services.scoped(Counting);
    await using host = builder.build();
    assert.throws(() => host.services.get(Counting), { code: "NS_SERVICE_SCOPE" });
    const Missing = token<object>("Missing");
    const broken = quiet({ environment }).builder;
    broken.services.singleton(token<object>("Broken"), [Missing], (given) => given);
    assert.throws(() => broken.build(), /Broken needs Missing, which is not registered/);
  }
});

test("one error lists everything that is wrong with an application", () => {
  const options = { shutdwonTimeout: "5s", startupTimeout: "soon" } as unknown as HostOptions;
  const { builder } = quiet(options);
  builder.addHostedService(plain("s", []), {
    name: "s",
    restart: "sometimes" as "never",
    stopTimeout: "5 parsecs" as "5s",
  });
  builder.addHostedService(plain("t", []), { name: "s", after: ["nobody"], group: "none" });
  builder.addTimedService("clean-up", { every: 0 }, () => undefined);
  builder.services.singleton(token<object>("Broken"), [Counting], (given) => given);
  const problems = problemsIn(builder);
  for (const expected of [
    /no option "shutdwonTimeout"\. Did you mean "shutdownTimeout"\?/,
    /the host's startupTimeout is "soon"/,
    /restart policy is "sometimes"\. Give one of "never", "on-failure", "always"/,
    /The service s's stopTimeout is "5 parsecs"/,
    /Two hosted services are called "s"/,
    /comes after "nobody", which is no hosted service here/,
    /in the group "none", which is not declared/,
    /clean-up's every is 0/,
    /Broken needs Counting/,
  ]) {
    assert.ok(
      problems.some((problem) => expected.test(problem)),
      `${expected} in\n${problems.join("\n")}`,
    );
  }
  assert.equal(problems.length, 9);
});

test("a value of the environment that cannot be read is told with the variable's name", () => {
  const env = { NIGHTSHIFT_START_CONCURRENTLY: "yes", NIGHTSHIFT_SHUTDOWN_TIMEOUT: "soon" };
  const { builder } = quiet({ configuration: { file: false, env } });
  assert.throws(
    () => builder.build(),
    (error: Error) => {
      assert.match(error.message, /variable NIGHTSHIFT_START_CONCURRENTLY is "yes"\. Give true or false/);
      assert.match(error.message, /variable NIGHTSHIFT_SHUTDOWN_TIMEOUT is "soon"\. Give milliseconds/);
      return true;
    },
  );
});

test("a slip in the name of an environment variable is told; other variables with the prefix are left alone", () => {
  const problems = problemsIn(fromEnv({ NIGHTSHIFT_SHUTDWON_TIMEOUT: "5s", NIGHTSHIFT_TEST_POSTGRES: "x", HOME: "/" }));
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? "",
    /NIGHTSHIFT_SHUTDWON_TIMEOUT is not known\. Did you mean "NIGHTSHIFT_SHUTDOWN_TIMEOUT"\?/,
  );
});

test("the configuration file stands below the environment, and that below the code; its own sections are for services", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "nightshift.config.json");
  const values = { name: "from file", environment: "from file", shutdownTimeout: "1s" };
  writeFileSync(file, JSON.stringify({ host: values, mail: { from: "a@example.org" } }));
  const env = { NIGHTSHIFT_ENVIRONMENT: "from env", NIGHTSHIFT_NAME: "from env" };
  await using host = fromEnv({}, { configuration: { env, file }, name: "from code" }).build();
  assert.equal(host.snapshot().name, "from code");
  assert.equal(host.environment, "from env");
  assert.equal(host.services.get(Configuration).get("mail.from"), "a@example.org");
  assert.equal(host.services.get(Configuration).get("mail.to.nobody"), undefined);
  writeFileSync(file, '{ "host": { "enviroment": "x" } }');
  assert.match(problemsIn(fromEnv({}, { configuration: { env, file } }))[0] ?? "", /Did you mean "environment"\?/);
  writeFileSync(file, "{ not json");
  assert.match(problemsIn(fromEnv({}, { configuration: { env, file } }))[0] ?? "", /cannot be read/);
});

test("the services' loggers carry the names of those who asked", async () => {
  class Talks {
    static readonly inject = [Logger, Resolver] as const;
    readonly log: Logger;
    constructor(log: Logger, _services: Resolver) {
      this.log = log;
    }
    start() {
      this.log.info("hello");
    }
    stop() {
      this.log.info("bye");
    }
  }
  const { builder, logger } = quiet();
  await using host = builder.addHostedService(Talks).build();
  await host.start();
  assert.equal(logger.entries.find(({ message }) => message === "hello")?.name, "Talks");
});

test("a room above the host takes part in the build: its problems, services and hosted services", async () => {
  const log: string[] = [];
  const { builder } = quiet();
  builder.onBuild(({ problems, services, addHostedService }) => {
    services.value(token<string>("from above"), "x");
    addHostedService(plain("above", log), { name: "above" });
    if (log.length > 0) problems.add("NS_OPTION_INVALID", "never");
  });
  await using host = builder.build();
  await host.start();
  assert.deepEqual(log, ["above.start"]);
  const { builder: wrong } = quiet();
  wrong.onBuild(({ problems }) => problems.add("NS_JOB_DUPLICATE", "two of them"));
  assert.throws(() => wrong.build(), { code: "NS_JOB_DUPLICATE" });
});
