/** The dashboard's security, a test or more a rule, numbered as in docs/dashboard-security.md. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type Authorize,
  createDashboard,
  type Dashboard,
  type OperateApi,
  type ScheduleDesk,
  type ScheduleEditor,
  type ScheduleFormFacts,
} from "../../src/dashboard/index.ts";
import type { OperateRoute, ReadRoute } from "../../src/dashboard/server/route.ts";
import { routes } from "../../src/dashboard/server/routes.ts";
import { NightshiftError } from "../../src/errors/index.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { capturingLogger } from "../../src/telemetry/index.ts";
import { get, json, LOOPBACK, post } from "../support/ask-dashboard.ts";
import { type BusyStore, busyStore } from "../support/busy-store.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";

const READS = Object.entries(routes).flatMap(([path, route]) => (route.method === "GET" ? [path] : []));
const CHANGES = Object.entries(routes).flatMap(([path, route]) => (route.method === "POST" ? [path] : []));
/** A body that each change takes. */
const BODIES: Readonly<Record<keyof OperateApi, unknown>> = {
  "api/jobs/cancel": { ids: ["1"] },
  "api/jobs/retry": { ids: ["1"] },
  "api/jobs/run-now": { ids: ["1"] },
  "api/queues/pause": { queue: "mail" },
  "api/queues/resume": { queue: "mail" },
  "api/schedules/pause": { id: "clean-up" },
  "api/schedules/resume": { id: "clean-up" },
  "api/schedules/pause-group": { group: "reports" },
  "api/schedules/resume-group": { group: "reports" },
  "api/schedules/trigger": { id: "clean-up" },
  "api/schedules/create": {
    id: "new",
    job: "clean-up",
    expression: "0 3 * * *",
    dialect: "unix",
    timeZone: "UTC",
    input: "",
    misfire: "run-once",
    overlap: "allow",
    description: "",
    paused: false,
  },
  "api/schedules/update": { id: "clean-up", revision: 1, description: "changed" },
  "api/schedules/remove": { id: "clean-up" },
};

const FACTS: ScheduleFormFacts = {
  id: "",
  source: "dynamic",
  revision: 1,
  job: "clean-up",
  trigger: "{}",
  expression: "0 3 * * *",
  dialect: "unix",
  timeZone: "UTC",
  times: "At 03:00",
  misfire: "run-once",
  overlap: "allow",
  description: "",
};
const NO_DESK: ScheduleDesk = {
  describe: () => ({ trigger: "", expression: null, timeZone: null, misfire: null, overlap: null, queue: null }),
  upcoming: async () => [],
  pause: async () => undefined,
  resume: async () => undefined,
  pausedGroups: async () => [],
  pauseGroup: async () => 0,
  resumeGroup: async () => 0,
  trigger: async () => null,
};

describe("the dashboard's security", () => {
  let busy: BusyStore;
  let open: Dashboard;
  const made: Dashboard[] = [];
  const dashboard = (options: Omit<Parameters<typeof createDashboard>[0], "store"> & { store?: Store } = {}) => {
    const one = createDashboard({ store: busy.store, ...options });
    made.push(one);
    return one;
  };
  const ask = (one: Dashboard, url: string, headers: Record<string, string> = {}, remoteAddress?: string) =>
    one.fetch(new Request(url, { headers }), { remoteAddress });

  before(async () => {
    busy = await busyStore();
    open = dashboard();
  });
  after(async () => {
    for (const one of made) await one.close();
  });

  it("S1: lets only this machine's own addresses in by default", async () => {
    for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
      assert.equal((await ask(open, "http://localhost/", {}, address)).status, 200, address);
    }
    for (const address of [
      undefined,
      "10.0.0.1",
      "192.168.1.2",
      "::ffff:10.0.0.1",
      "fe80::1",
      "127.0.0.1.evil",
      "1127.0.0.1",
      "",
    ]) {
      for (const path of ["", "api/overview", "assets/main.js", "api/live", "nothing"]) {
        assert.equal((await ask(open, `http://localhost/${path}`, {}, address)).status, 403, `${address} ${path}`);
      }
    }
  });

  it("S1: trusts no address behind a proxy", async () => {
    for (const name of ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]) {
      assert.equal((await get(open, "/api/overview", { [name]: "127.0.0.1" })).status, 403, name);
    }
  });

  it("S1: gives nobody anything when authorize refuses, throws or returns something else", async () => {
    const answers: unknown[] = [
      false,
      undefined,
      null,
      true,
      "admin",
      {},
      { role: "root" },
      1,
      [],
      "Read",
      { user: "x" },
    ];
    for (const answer of answers) {
      const one = dashboard({ authorize: (() => answer) as unknown as Authorize });
      assert.ok((await get(one, "/api/overview")).status >= 400, `${String(answer)}`);
      assert.ok((await get(one, "/")).status >= 400, `${String(answer)}`);
    }
    const throwing = dashboard({
      authorize: () => {
        throw new Error("secret of the session store");
      },
    });
    const refused = await get(throwing, "/");
    assert.equal(refused.status, 500);
    assert.doesNotMatch(await refused.text(), /secret/);
  });

  it("S1: takes authorize's word instead of the address", async () => {
    const one = dashboard({ authorize: async (request) => (request.headers.get("x-key") === "k" ? "operate" : false) });
    assert.equal(
      (await ask(one, "http://jobs.example/", { "x-key": "k", "x-forwarded-for": "10.0.0.1" }, "10.0.0.9")).status,
      200,
    );
    assert.equal((await ask(one, "http://localhost/", {}, "127.0.0.1")).status, 403);
  });

  it("S2: a reader may call every read and no change", async () => {
    const editor: ScheduleEditor = {
      jobs: () => [],
      facts: ({ id }) => ({ ...FACTS, id }),
      input: () => '{"token":"s3cr3t"}',
      create: () => assert.fail("a reader made a schedule"),
      update: () => assert.fail("a reader changed a schedule"),
      remove: () => assert.fail("a reader removed a schedule"),
    };
    const one = dashboard({
      authorize: () => ({ role: "read", user: "kari" }),
      schedules: { ...NO_DESK, editor },
    });
    const queries: Record<string, string> = {
      "api/jobs": "?state=dead",
      "api/jobs/count": "?state=dead",
      "api/job": `?id=${busy.dead}`,
      "api/job/data": `?id=${busy.dead}`,
      "api/schedule": "?id=clean-up",
      "api/schedule/input": "?id=clean-up",
      "api/schedules/form": "?id=clean-up",
      "api/schedules/preview": "?expression=@daily",
    };
    for (const path of READS) assert.equal((await get(one, `/${path}${queries[path] ?? ""}`)).status, 200, path);
    for (const path of CHANGES) {
      const refused = await post(one, `/${path}`, BODIES[path as keyof OperateApi]);
      assert.equal(refused.status, 403, path);
      assert.equal(((await json(refused))["error"] as { code: string }).code, "NS_DASHBOARD_FORBIDDEN");
    }
    assert.equal((await json(get(one, "/api/about")))["role"], "read");
  });

  it("S2: a route without a permission does not compile, nor one that changes something by GET", () => {
    // @ts-expect-error: no permission
    const none: ReadRoute<"api/overview"> = { method: "GET", query: [], handle: routes["api/overview"].handle };
    const byGet: OperateRoute<"api/jobs/retry"> = {
      ...routes["api/jobs/retry"],
      // @ts-expect-error: a change is a POST
      method: "GET",
    };
    const lowly: OperateRoute<"api/jobs/retry"> = {
      ...routes["api/jobs/retry"],
      // @ts-expect-error: a change needs "operate"
      permission: "read",
    };
    assert.ok([none, byGet, lowly].length === 3);
    for (const route of Object.values(routes)) {
      assert.equal(route.permission, route.method === "GET" ? "read" : "operate");
    }
  });

  it("S4: a change needs POST, JSON and the page's own origin", async () => {
    const cases: [Record<string, string>, number][] = [
      [{}, 200],
      [{ "sec-fetch-site": "" }, 200],
      [{ origin: "" }, 200],
      [{ "content-type": "application/json; charset=utf-8" }, 200],
      [{ "sec-fetch-site": "cross-site" }, 403],
      [{ "sec-fetch-site": "same-site" }, 403],
      [{ "sec-fetch-site": "none" }, 403],
      [{ "sec-fetch-site": "", origin: "http://evil.example" }, 403],
      [{ "sec-fetch-site": "", origin: "null" }, 403],
      [{ "sec-fetch-site": "", origin: "http://localhost:3001" }, 403],
      [{ "sec-fetch-site": "", origin: "" }, 403],
      [{ "content-type": "text/plain" }, 415],
      [{ "content-type": "application/x-www-form-urlencoded" }, 415],
      [{ "content-type": "multipart/form-data; boundary=x" }, 415],
      [{ "content-type": "" }, 415],
      [{ "content-encoding": "gzip" }, 415],
    ];
    for (const [headers, status] of cases) {
      const answer = await post(open, "/api/queues/resume", { queue: "mail" }, headers);
      assert.equal(answer.status, status, JSON.stringify(headers));
    }
  });

  it("S4: GET changes nothing, and every other method is refused", async () => {
    const before = JSON.stringify(await busy.store.counts());
    for (const path of CHANGES) {
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const request = new Request(`http://localhost/${path}`, {
          method,
          headers: { "sec-fetch-site": "same-origin" },
        });
        assert.equal((await open.fetch(request, LOOPBACK)).status, 405, `${method} ${path}`);
      }
    }
    for (const path of READS) assert.equal((await post(open, `/${path}`, {})).status, 405, path);
    assert.equal(JSON.stringify(await busy.store.counts()), before);
  });

  it("S4, S5, S6: every answer forbids frames, inline code, sniffing and other origins", async () => {
    const answers = [
      await get(open, "/", { origin: "http://evil.example" }),
      await get(open, "/assets/main.js"),
      await get(open, "/api/overview", { origin: "http://evil.example" }),
      await get(open, "/nothing"),
      await post(open, "/api/queues/resume", { queue: "mail" }, { "sec-fetch-site": "cross-site" }),
      await get(dashboard({ path: "/jobs" }), "/jobs"),
    ];
    for (const { headers } of answers) {
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(policy, /require-trusted-types-for 'script'/);
      assert.doesNotMatch(policy, /unsafe|https?:|\*|data:|blob:/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("x-frame-options"), "DENY");
      for (const [name] of headers) assert.doesNotMatch(name, /^access-control-/);
    }
  });

  it("S6: the page has no inline script, style or handler, and nothing from elsewhere", async () => {
    const html = await (await get(open, "/")).text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=|https?:|\/\//i);
  });

  it("S8: what a query says is never echoed as markup", async () => {
    for (const text of HOSTILE_TEXTS) {
      const value = encodeURIComponent(text);
      for (const path of [
        `/api/jobs?state=${value}`,
        `/api/jobs?${value}=1`,
        `/api/job?id=${value}`,
        `/${value}`,
        `/jobs?name=${value}`,
      ]) {
        const answer = await get(open, path);
        const type = answer.headers.get("content-type") ?? "";
        if (type.startsWith("text/html")) assert.ok(!(await answer.text()).includes("alert(1)"), path);
        else assert.match(type, /^(?:application\/json|image\/|text\/(?:css|javascript))/, path);
      }
    }
  });

  it("S10, S12: redirects lead to the mount only, whatever Host and path say", async () => {
    const one = dashboard({ path: "/admin/jobs", authorize: () => "operate" });
    const moved = await ask(one, "http://evil.example/admin/jobs?next=//evil.example");
    assert.equal(moved.status, 308);
    assert.equal(moved.headers.get("location"), "./jobs/");
    for (const path of [
      "//evil.example",
      "//evil.example/..",
      "/admin//evil.example",
      "/admin/jobsx",
      "/admin/jobs%2f",
      "/%2e%2e/",
    ]) {
      const answer = await ask(one, `http://localhost${path}`);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers.get("location"), null);
    }
    const page = await ask(one, "http://evil.example/admin/jobs/");
    assert.doesNotMatch(await page.text(), /evil/);
  });

  it("S11: no path leads out of the page's files", async () => {
    const paths = [
      "/assets/../server/handler.ts",
      "/assets/..%2fserver%2fhandler.ts",
      "/assets/%2e%2e/%2e%2e/package.json",
      "/assets/....//....//package.json",
      "/assets/..\\..\\package.json",
      "/assets/%5c..%5cpackage.json",
      "/assets/main.js%00.html",
      "/assets/%00",
      "/assets//etc/passwd",
      "/assets/",
      "/assets",
      "/assets/main.ts",
      "/index.html",
      "/../../../../etc/passwd",
      "/assets/__proto__",
      "/constructor",
      "/api/__proto__",
      "/api/constructor",
      "/api/toString",
    ];
    for (const path of paths) assert.equal((await get(open, path)).status, 404, path);
  });

  it("S12: a name that points here from elsewhere is not served without authorize", async () => {
    for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.5", "[::2]"]) {
      assert.equal((await ask(open, `http://${host}/`, {}, "127.0.0.1")).status, 403, host);
    }
    for (const host of ["localhost", "127.0.0.1", "[::1]", "shop.localhost"]) {
      assert.equal((await ask(open, `http://${host}:3000/`, {}, "127.0.0.1")).status, 200, host);
    }
  });

  it("S14: parameters are known, single, of the right form and bounded", async () => {
    const bad = [
      "/api/jobs",
      "/api/jobs?state=",
      "/api/jobs?state=everything",
      "/api/jobs?state=__proto__",
      "/api/jobs?state=dead&state=ready",
      "/api/jobs?state=dead&limit=0",
      "/api/jobs?state=dead&limit=201",
      "/api/jobs?state=dead&limit=1e9",
      "/api/jobs?state=dead&limit=-1",
      "/api/jobs?state=dead&limit=0x10",
      "/api/jobs?state=dead&limit=99999999999999999999",
      "/api/jobs?state=dead&order=input",
      "/api/jobs?state=dead&__proto__=1",
      `/api/jobs?state=dead&name=${"x".repeat(501)}`,
      "/api/jobs?state=dead&name=%00",
      `/api/jobs?state=dead&cursor=${"x".repeat(501)}`,
      "/api/jobs?state=dead&cursor=nonsense",
      "/api/job",
      "/api/job?id=",
      `/api/job?id=${"x".repeat(100_000)}`,
      "/api/overview?days=1000000000",
      "/api/schedules/preview",
      "/api/schedules/preview?expression=",
      "/api/schedules/preview?expression=@daily&dialect=vixie",
      "/api/schedules/preview?expression=@daily&count=100000",
      "/api/schedules/preview?expression=@daily&days=4000",
      "/api/schedules/preview?expression=@daily&expression=@daily",
      `/api/schedules/preview?expression=${"*,".repeat(251)}`,
      `/api/schedules/preview?expression=@daily&timeZone=${"x".repeat(501)}`,
    ];
    for (const path of bad) assert.equal((await get(open, path)).status, 400, path.slice(0, 60));
    const bodies: unknown[] = [
      [],
      null,
      "text",
      1,
      {},
      { ids: [] },
      { ids: "1" },
      { ids: [1] },
      { ids: [""] },
      { ids: [null] },
      { ids: Array.from({ length: 501 }, String) },
      { ids: ["x".repeat(501)] },
      { ids: ["1"], order: "input" },
      { ids: ["1\0"] },
      { ids: { length: 1, 0: "1" } },
    ];
    for (const body of bodies) {
      assert.equal(
        (await post(open, "/api/jobs/retry", JSON.stringify(body))).status,
        400,
        JSON.stringify(body)?.slice(0, 60),
      );
    }
    assert.equal((await post(open, "/api/queues/pause", { queue: "mail", reason: "x".repeat(1_001) })).status, 400);
    const draft = BODIES["api/schedules/create"] as object;
    const drafts: object[] = [
      { id: "" },
      { id: "x".repeat(201) },
      { id: "a\0" },
      { id: { length: 1 } },
      { expression: ["0 3 * * *"] },
      { expression: "x".repeat(501) },
      { dialect: "__proto__" },
      { timeZone: 1 },
      { input: { to: "x" } },
      { input: "x".repeat(50_001) },
      { misfire: "constructor" },
      { overlap: null },
      { description: "x".repeat(2_001) },
      { paused: "false" },
      { source: "code" },
    ];
    for (const wrong of drafts) {
      const answer = await post(open, "/api/schedules/create", { ...draft, ...wrong });
      assert.equal(answer.status, 400, JSON.stringify(wrong).slice(0, 60));
    }
    for (const revision of [undefined, -1, 1.5, "1", 1e300]) {
      const answer = await post(open, "/api/schedules/update", { id: "clean-up", revision, overlap: "skip" });
      assert.equal(answer.status, 400, String(revision));
    }
  });

  it("S16: refuses more listeners than it can serve, and frees the places of those who leave", async () => {
    const one = dashboard();
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(one, "/api/live")));
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal((await get(one, "/api/live")).status, 503);
    await answers[0]?.body?.cancel();
    const again = await get(one, "/api/live");
    assert.equal(again.status, 200);
  });

  it("S17: refuses large bodies by what arrives, not by what is claimed", async () => {
    const large = JSON.stringify({ ids: ["1"], reason: "x".repeat(70_000) });
    assert.equal((await post(open, "/api/jobs/cancel", large)).status, 413);
    assert.equal((await post(open, "/api/jobs/cancel", large, { "content-length": "10" })).status, 413);
    assert.equal((await post(open, "/api/jobs/cancel", "{", { "content-length": "999999" })).status, 413);
    assert.equal((await post(open, "/api/jobs/cancel", "{".repeat(1_000))).status, 400);
    assert.equal((await post(open, "/api/jobs/cancel", "[".repeat(60_000))).status, 400);
  });

  it("S18: dangerous property names are data", async () => {
    const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}';
    const [id = ""] = await busy.store.enqueue([
      { name: "n", queue: "q", priority: 0, input: text, maxAttempts: 1, maxCrashes: 1 },
    ]);
    const { input } = (await json(get(open, `/api/job/data?id=${id}`))) as { input: { text: string } };
    assert.equal(JSON.stringify(JSON.parse(input.text)), text);
    await post(open, "/api/jobs/retry", '{"ids":["1"],"__proto__":{"polluted":1}}');
    await post(open, "/api/jobs/retry", '{"__proto__":{"ids":["1"]}}');
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  it("S20: hostile filters find nothing and break nothing", async () => {
    for (const text of HOSTILE_TEXTS) {
      const value = encodeURIComponent(text);
      const answer = await get(open, `/api/jobs?state=dead&queue=${value}&name=${value}`);
      assert.equal(answer.status, 200, text);
      assert.deepEqual((await json(answer))["items"], [], text);
    }
  });

  it("S22, S27: every change is logged with who, what and to what, on one line of its own", async () => {
    const logger = capturingLogger();
    const one = dashboard({ logger, authorize: () => ({ role: "operate", user: "kari" }) });
    const body = { queue: "mail", reason: "line\r\nbreak \u001b[31m" };
    assert.equal((await post(one, "/api/queues/pause", body)).status, 200);
    assert.equal((await post(one, "/api/queues/resume", { queue: "mail" })).status, 200);
    const audits = logger.entries.flatMap((entry) => ("audit" in entry.facts ? [entry.facts["audit"]] : []));
    assert.deepEqual(audits, [
      { user: "kari", action: "queues/pause", target: body },
      { user: "kari", action: "queues/resume", target: { queue: "mail" } },
    ]);
    assert.ok(logger.messages().every((message) => !message.includes("\n")));
  });

  it("S23: data is sent only when asked for, and without what is redacted", async () => {
    const input = JSON.stringify({
      to: "a@b.example",
      Password: "p1",
      api_key: "p2",
      deep: [{ "access-token": { raw: "p3" } }],
    });
    const [id = ""] = await busy.store.enqueue([
      { name: "n", queue: "q", priority: 0, input, meta: '{"secret":"p4"}', maxAttempts: 1, maxCrashes: 1 },
    ]);
    const page = await (await get(open, `/api/job?id=${id}`)).text();
    const list = await (await get(open, "/api/jobs?state=ready&limit=200")).text();
    assert.doesNotMatch(page + list, /a@b|p1|p2|p3|p4/);
    const data = await (await get(open, `/api/job/data?id=${id}`)).text();
    assert.match(data, /a@b\.example/);
    assert.doesNotMatch(data, /"p1|"p2|p3|p4|raw/);
    const own = dashboard({ redact: ["to"] });
    const shown = await (await get(own, `/api/job/data?id=${id}`)).text();
    assert.doesNotMatch(shown, /a@b/);
    assert.match(shown, /p1/);
  });

  it("S24: errors carry no statement, path or address, and the log has them", async () => {
    const secrets = /SELECT|\/srv\/|postgres:|hunter2|ECONN/;
    const failures = [
      new Error("SELECT * FROM job: near '/srv/app/shop.db' postgres://u:hunter2@db"),
      new NightshiftError("NS_STORE_UNAVAILABLE", "cannot reach postgres://u:hunter2@db (ECONNREFUSED) for /srv/app"),
      new NightshiftError("NS_STORE_CORRUPT", "/srv/app/shop.db: SELECT failed"),
    ];
    for (const failure of failures) {
      const logger = capturingLogger();
      const store = new Proxy(memory(), {
        get: (target, name) => {
          if (name === "counts") return () => Promise.reject(failure);
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      const answer = await get(dashboard({ store, logger }), "/api/overview");
      assert.ok(answer.status >= 500);
      assert.doesNotMatch(await answer.text(), secrets);
      assert.ok(logger.entries.some((entry) => entry.error === failure));
    }
    const shut = dashboard({
      store: new Proxy(memory(), {
        get: (target, name) => (name === "open" ? () => Promise.reject(failures[1]) : Reflect.get(target, name)),
      }),
    });
    const answer = await get(shut, "/");
    assert.equal(answer.status, 503);
    assert.doesNotMatch(await answer.text(), secrets);
  });

  it("S24: a leader's token is not told", async () => {
    const answer = await (await get(open, "/api/instances")).text();
    assert.match(answer, /"role":"scheduler"/);
    assert.doesNotMatch(answer, /token/);
  });
});
