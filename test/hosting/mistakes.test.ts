/** What people get wrong when they put an application together: each mistake is one clear error, before anything runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHost, NightshiftError } from "../../src/index.ts";

type Builder = ReturnType<typeof createHost>;

/** As a program without types would call it. */
// biome-ignore lint/suspicious/noExplicitAny: mistakes are what the compiler would refuse
const wrong = (value: unknown) => value as any;

const work = { execute: () => undefined };
const on = (use: (builder: Builder) => unknown) => () => {
  const builder = createHost({ signals: false, configuration: false });
  use(builder);
  return builder.build();
};
const host = (options: object | string | null) => () => createHost(wrong(options)).build();

const MISTAKES: readonly (readonly [run: () => unknown, code: string, expected: RegExp])[] = [
  [host("shop"), "NS_OPTION_INVALID", /createHost\(\) got "shop" as options\. Give an object/],
  [host(null), "NS_OPTION_INVALID", /createHost\(\) got null as options/],
  [host({ name: 5 }), "NS_OPTION_INVALID", /The host's name is 5\. Give a text/],
  [host({ environment: "" }), "NS_OPTION_INVALID", /The host's environment is ""/],
  [host({ logger: console }), "NS_OPTION_INVALID", /logger has no method fatal\(\)\. Give a pino-compatible logger/],
  [host({ clock: {} }), "NS_OPTION_INVALID", /The host's clock has no method now\(\)/],
  [host({ random: 1 }), "NS_OPTION_INVALID", /The host's random is 1\. Give a function/],
  [host({ signals: ["SIGKILL"] }), "NS_OPTION_INVALID", /SIGKILL, which no process can handle/],
  [host({ signals: ["SIGTREM"] }), "NS_OPTION_INVALID", /"SIGTREM", which is no signal here\. Did you mean "SIGTERM"/],
  [host({ processLifetime: "systemd" }), "NS_OPTION_INVALID", /processLifetime is "systemd"/],
  [host({ configuration: true }), "NS_OPTION_INVALID", /configuration is true\. Give \{ file, env \}, or false/],
  [host({ drainDelay: "10s", shutdownTimeout: "5s" }), "NS_OPTION_INVALID", /drainDelay \(10s\) leaves nothing/],
  [on((b) => b.addHostedService(wrong(undefined))), "NS_SERVICE_INVALID", /addHostedService\(\) got undefined/],
  [on((b) => b.addHostedService(wrong({}))), "NS_SERVICE_INVALID", /got \{\}\. Give a class, an instance/],
  [on((b) => b.addHostedService(work, wrong(null))), "NS_OPTION_INVALID", /got null as options/],
  [on((b) => b.addHostedService(work, { name: "" })), "NS_OPTION_INVALID", /The name of a hosted service is ""/],
  [on((b) => b.addHostedService(work, wrong({ restart: null }))), "NS_OPTION_INVALID", /restart policy is null/],
  [
    on((b) => b.addHostedService(work, wrong({ restart: { policy: "always", maxRestarts: "3" } }))),
    ...(["NS_OPTION_INVALID", /restart\.maxRestarts is "3"\. Give 0 or more/] as const),
  ],
  [on((b) => b.addHostedService(work, wrong({ after: "a" }))), "NS_OPTION_INVALID", /after is "a"\. Give a list/],
  [on((b) => b.addHostedService(work, wrong({ after: [undefined] }))), "NS_OPTION_INVALID", /comes after undefined/],
  [on((b) => b.addHostedService(work, { name: "w", after: ["w"] })), "NS_OPTION_INVALID", /w comes after itself/],
  [
    on((b) => b.addHostedService(work, { name: "db" }).addHostedService(work, { name: "w", after: ["dc"] })),
    ...(["NS_OPTION_INVALID", /comes after "dc", which is no hosted service here\. Did you mean "db"\?/] as const),
  ],
  [on((b) => b.addHostedService(work, wrong({ required: "yes" }))), "NS_OPTION_INVALID", /required is "yes"/],
  [on((b) => b.addHostedService(work, wrong({ daemon: 1 }))), "NS_OPTION_INVALID", /daemon is 1/],
  [on((b) => b.addHostedService(work, { heartbeat: 0 })), "NS_OPTION_INVALID", /heartbeat is 0/],
  [
    on((b) => b.addHostedService(work, wrong({ leaderOnly: "yes" }))),
    "NS_OPTION_INVALID",
    /leaderOnly is "yes"\. Give true/,
  ],
  [on((b) => b.addHostedService(work, wrong({ group: 5 }))), "NS_OPTION_INVALID", /group is 5/],
  [on((b) => b.addTimedService("t", { every: "1s" }, wrong(undefined))), "NS_OPTION_INVALID", /t's run is undefined/],
  [
    on((b) => b.addTimedService("t", wrong({ trigger: "* * * * *" }), () => undefined)),
    "NS_OPTION_INVALID",
    /trigger is "/,
  ],
  [
    on((b) => b.addTimedService("t", wrong({ every: "1s", immediatly: true }), () => undefined)),
    ...(["NS_OPTION_UNKNOWN", /no option "immediatly"\. Did you mean "immediately"\?/] as const),
  ],
  [on((b) => b.addBackgroundQueue(wrong(null))), "NS_OPTION_INVALID", /addBackgroundQueue\(\) got null/],
  [on((b) => b.addBackgroundQueue(wrong({ run: 5 }))), "NS_OPTION_INVALID", /run is 5\. Give a function/],
  [on((b) => b.addBackgroundQueue({ handOver: () => undefined })), "NS_OPTION_INVALID", /its onStop is "drain"/],
  [on((b) => b.addBackgroundQueue(wrong({ capcity: 5 }))), "NS_OPTION_UNKNOWN", /Did you mean "capacity"\?/],
  [on((b) => b.addHttpServer(wrong({}))), "NS_OPTION_INVALID", /addHttpServer\(\) has no method listen\(\)/],
  [on((b) => b.addHealthEndpoint(wrong({ port: "9000" }))), "NS_OPTION_INVALID", /health endpoint's port is "9000"/],
  [
    on((b) => b.addHealthCheck("db", wrong(true))),
    "NS_OPTION_INVALID",
    /The health check db is true\. Give a function/,
  ],
  [
    on((b) => b.addHealthCheck("db", () => true).addHealthCheck("db", () => true)),
    ...(["NS_OPTION_INVALID", /The health check db was added twice/] as const),
  ],
  [on((b) => b.configure(wrong(undefined))), "NS_OPTION_INVALID", /configure\(\) got undefined as options/],
  [
    on((b) => b.addHealthWarnings("db", wrong(1))),
    "NS_OPTION_INVALID",
    /The source of warnings db is 1\. Give a function/,
  ],
  [
    on((b) => b.addHealthWarnings("db", () => []).addHealthWarnings("db", () => [])),
    "NS_OPTION_INVALID",
    /The source of warnings db was added twice/,
  ],
  [on((b) => b.addStartCheck(wrong(5))), "NS_OPTION_INVALID", /A start check is 5/],
];

test("each mistake is one clear error with the value received and what to do, and nothing else", () => {
  for (const [run, code, expected] of MISTAKES) {
    assert.throws(run, (error) => {
      assert.ok(error instanceof NightshiftError, `${expected}: ${error}`);
      assert.match(error.message, expected);
      assert.equal(error.code, code, error.message);
      return true;
    });
  }
});

test("a class that is added again with other options is told, instead of the options being lost", () => {
  class Consumer {
    execute() {
      return undefined;
    }
  }
  const again = on((builder) => builder.addHostedService(Consumer).addHostedService(Consumer, { restart: "always" }));
  assert.throws(again, { code: "NS_OPTION_INVALID", message: /Consumer was added before; these options come late/ });
});

test("what is added after build() is refused, instead of never running", () => {
  const builder = createHost({ signals: false, configuration: false });
  builder.build();
  const late: readonly (() => unknown)[] = [
    () => builder.addHostedService(work),
    () => builder.addTimedService("t", { every: "1s" }, () => undefined),
    () => builder.addBackgroundQueue(),
    () => builder.addHealthCheck("db", () => true),
    () => builder.addServiceGroup("g", "one-for-all"),
    () => builder.configure({ name: "late" }),
    () => builder.addStartCheck(() => undefined),
  ];
  for (const add of late) assert.throws(add, /after/);
});

test("what code leaves undefined is for operators to set", () => {
  const env = { NIGHTSHIFT_NAME: "from the environment" };
  const built = createHost({
    signals: false,
    configuration: { file: false, env },
    ...wrong({ name: undefined }),
  }).build();
  assert.equal(built.snapshot().name, "from the environment");
});
