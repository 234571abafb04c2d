/** Runs the statements that every peer can express against one of them, and prints the results as JSON. */
const peer = await import(`./${process.argv[2]}.mjs`);
const LIMIT = 3_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const hangs = Symbol("hangs");
const limited = (promise) =>
  Promise.race([
    promise.then(
      () => undefined,
      (error) => error,
    ),
    new Promise((resolve) => setTimeout(resolve, LIMIT, hangs)),
  ]);

function services(names, log, does = {}) {
  return names.map((name) => ({
    name,
    async start() {
      log.push(`${name}.start`);
      await does[`${name}.start`]?.();
    },
    async stop() {
      log.push(`${name}.stop`);
      await does[`${name}.stop`]?.();
    },
  }));
}

async function scenario(names, does = {}, { stop = true } = {}) {
  const log = [];
  const app = await peer.make(services(names, log, does));
  const started = await limited(app.start());
  const stopped = stop && started === undefined ? await limited(app.stop()) : undefined;
  return { log, started, stopped, app };
}

const fails = (message) => async () => {
  await turn();
  throw new Error(message);
};
const never = () => new Promise(() => undefined);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const statements = {
  "C-001 starting calls each start once, and no stop": async () => {
    const { log } = await scenario(["a"], {}, { stop: false });
    return same(log, ["a.start"]);
  },
  "C-002 services start in registration order": async () => {
    const { log } = await scenario(["a", "b", "c"], { "a.start": turn }, { stop: false });
    return same(log, ["a.start", "b.start", "c.start"]);
  },
  "C-004 while the first start is pending, the second has not been called": async () => {
    const log = [];
    const app = await peer.make(services(["a", "b"], log, { "a.start": never }));
    app.start().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return same(log, ["a.start"]);
  },
  "C-011 a failing start rejects with its error": async () => {
    const { started } = await scenario(["a", "b"], { "a.start": fails("boom") });
    return started?.message === "boom";
  },
  "C-012 (ours) a failed start stops what had started": async () => {
    const { log } = await scenario(["a", "b"], { "b.start": fails("boom") });
    return log.includes("a.stop");
  },
  "C-030 stopping calls each stop once": async () => {
    const { log } = await scenario(["a", "b"]);
    return log.filter((entry) => entry.endsWith(".stop")).length === 2;
  },
  "C-031 the order of the stop is the exact reverse": async () => {
    const { log } = await scenario(["a", "b", "c"], { "c.stop": turn });
    return same(log.slice(3), ["c.stop", "b.stop", "a.stop"]);
  },
  "C-032 while the last one's stop is pending, the others have not been called": async () => {
    const log = [];
    let open = () => undefined;
    const app = await peer.make(
      services(["a", "b"], log, { "b.stop": () => new Promise((resolve) => (open = resolve)) }),
    );
    await app.start();
    const stopped = app.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const seen = log.slice(2);
    open();
    await limited(stopped);
    return same(seen, ["b.stop"]);
  },
  "C-036 one failing stop: the others are stopped, and the stop rejects": async () => {
    const { log, stopped } = await scenario(["a", "b", "c"], { "b.stop": fails("boom") });
    return log.includes("a.stop") && log.includes("c.stop") && stopped instanceof Error;
  },
  "C-036 two failing stops: both errors are told": async () => {
    const { stopped } = await scenario(["a", "b"], { "a.stop": fails("one"), "b.stop": fails("two") });
    return stopped instanceof AggregateError && stopped.errors.length === 2;
  },
  "C-047 (ours) a stop that hangs is abandoned and named, and the others are stopped": async () => {
    const { log, stopped } = await scenario(["a", "b"], { "b.stop": never });
    if (stopped === hangs) return "hangs";
    return stopped instanceof Error && /\bb\b/.test(stopped.message) && log.includes("a.stop");
  },
  "C-048 (ours) stopping twice stops the services once": async () => {
    const { log, app } = await scenario(["a"]);
    await limited(app.stop());
    return log.filter((entry) => entry === "a.stop").length === 1;
  },
};

const results = {};
for (const [statement, check] of Object.entries(statements)) {
  try {
    results[statement] = await check();
  } catch (error) {
    results[statement] = `error: ${error.message}`;
  }
}
console.log(JSON.stringify(results));
process.exit(0);
