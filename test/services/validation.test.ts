/** The check of the whole graph at build: statements C-131 to C-146. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError, problemsOf } from "../../src/errors/index.ts";
import { all, type Dependency, type Key, ScopeFactory, Services, token } from "../../src/services/index.ts";

const [A, B, C, D] = ["A", "B", "C", "D"].map((name) => token<object>(name)) as [Tok, Tok, Tok, Tok];
type Tok = Key<object>;
const make = () => ({});
const register = (
  services: Services,
  lifetime: "singleton" | "scoped" | "transient",
  key: Tok,
  deps: Dependency[] = [],
) => (services[lifetime] as Services["transient"])(key, deps, make);

function problemsIn(services: Services): string[] {
  try {
    services.build();
  } catch (error) {
    assert.ok(error instanceof NightshiftError);
    return problemsOf(error).map(({ message }) => message);
  }
  return [];
}

test("C-131 a scoped service in a singleton is refused, naming both", () => {
  const services = new Services();
  register(services, "singleton", A, [B]);
  register(services, "scoped", B);
  const [problem] = problemsIn(services);
  assert.match(problem ?? "", /NS_SERVICE_CAPTIVE: Cannot consume scoped service "B" from singleton "A"/);
});

test("C-132 the same through a transient names the scoped service and the singleton", () => {
  const services = new Services();
  register(services, "singleton", A, [B]);
  register(services, "transient", B, [C]);
  register(services, "scoped", C);
  const problems = problemsIn(services);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /scoped service "C" from singleton "A" through "B"/);
});

test("C-133 the same through another singleton names the nearest one", () => {
  const services = new Services();
  register(services, "singleton", A, [B]);
  register(services, "singleton", B, [C]);
  register(services, "scoped", C);
  const problems = problemsIn(services);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /scoped service "C" from singleton "B"/);
});

test("C-134 a scoped service asked of the root is refused; through a transient both are named", async () => {
  const services = new Services();
  register(services, "transient", A, [B]);
  register(services, "scoped", B);
  await using root = services.build();
  assert.throws(() => root.get(B), /Cannot resolve scoped service "B" from the root/);
  assert.throws(() => root.get(A), /scoped service "B" from the root.*needed by "A"/);
});

test("C-135 the last registration decides for a single resolve, every one for all()", async () => {
  const services = new Services();
  register(services, "scoped", A);
  register(services, "transient", A);
  await using root = services.build();
  assert.ok(root.get(A));
  assert.throws(() => root.get(all(A)), { code: "NS_SERVICE_SCOPE" });
});

test("C-136 a singleton may always inject the scope factory", async () => {
  const services = new Services();
  register(services, "singleton", A, [ScopeFactory]);
  await using root = services.build();
  assert.ok(root.get(A));
});

test("C-137 one error lists every bad registration, each with its cause", () => {
  const services = new Services();
  register(services, "singleton", A, [B]);
  register(services, "singleton", C, [D]);
  register(services, "singleton", D, [C]);
  const problems = problemsIn(services);
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? "", /NS_SERVICE_MISSING: A needs B/);
  assert.match(problems[1] ?? "", /NS_SERVICE_CYCLE: .*C -> D -> C/);
  assert.throws(() => services.build(), { code: "NS_BUILD_INVALID" });
});

test("C-138 a registration that a later one hides is checked too", () => {
  const services = new Services();
  register(services, "singleton", A, [B]);
  register(services, "singleton", A);
  assert.match(problemsIn(services)[0] ?? "", /A needs B/);
});

test("C-140 circles are refused with their whole path: self, direct, indirect, through a list", () => {
  const circle = (...links: [Tok, Dependency[]][]) => {
    const services = new Services();
    for (const [key, deps] of links) register(services, "transient", key, deps);
    return problemsIn(services).join("\n");
  };
  assert.match(circle([A, [A]]), /A -> A\./);
  assert.match(circle([A, [B]], [B, [A]]), /A -> B -> A\./);
  assert.match(circle([A, [B]], [B, [C]], [C, [A]]), /A -> B -> C -> A\./);
  assert.match(circle([A, [all(B)]], [B, [A]]), /A -> B -> A\./);
});

test("C-140 a circle reached from outside is named once, by its own members", () => {
  const services = new Services();
  register(services, "transient", A, [B]);
  register(services, "transient", B, [C]);
  register(services, "transient", C, [B]);
  const problems = problemsIn(services);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /: B -> C -> B\./);
});

test("C-141 the same service twice in a graph without a circle is fine", async () => {
  const services = new Services();
  register(services, "transient", A, [B, C, C]);
  register(services, "transient", B, [C]);
  register(services, "transient", C);
  await using root = services.build();
  assert.ok(root.get(A));
});

test("C-142 a second token of the same type is invisible to the first, and each gives its own", async () => {
  const [Main, Archive, Other] = ["db", "db:archive", "db:other"].map((name) => token<string>(name));
  assert.ok(Main && Archive && Other);
  await using root = new Services().value(Main, "main").value(Archive, "archive").build();
  assert.equal(root.get(Main), "main");
  assert.equal(root.get(Archive), "archive");
  assert.throws(() => root.get(Other), { code: "NS_SERVICE_MISSING" });
});

test("C-144 all() of a second token gives that token's registrations in order", async () => {
  const [Main, Archive] = [token<string>("db"), token<string>("db:archive")];
  await using root = new Services().value(Archive, "1").value(Main, "main").value(Archive, "2").build();
  assert.deepEqual(root.get(all(Archive)), ["1", "2"]);
});

test("C-146 a parameter that names a second token gets that registration", async () => {
  const [Main, Archive] = [token<string>("db"), token<string>("db:archive")];
  class Copies {
    static readonly inject = [Archive, Main] as const;
    readonly to: string;
    readonly from: string;
    constructor(to: string, from: string) {
      this.to = to;
      this.from = from;
    }
  }
  await using root = new Services().value(Main, "main").value(Archive, "archive").singleton(Copies).build();
  assert.deepEqual([root.get(Copies).from, root.get(Copies).to], ["main", "archive"]);
});

test("a missing service is named with the nearest known one", () => {
  class Mailer {}
  const services = new Services().singleton(Mailer).singleton(A, [token("Mialer")], make);
  assert.match(problemsIn(services)[0] ?? "", /A needs Mialer, which is not registered\. Did you mean "Mailer"\?/);
});

test("a service that is missing though one of its name is there is told as a second token, or a second copy of a package", () => {
  const services = new Services().value(token<string>("Logger"), "a").singleton(A, [token("Logger")], make);
  assert.match(
    problemsIn(services)[0] ?? "",
    /A needs Logger, which is not registered\. Another of that name is: .*npm ls/,
  );
});

test("an asynchronous factory is refused for anything but a singleton", () => {
  const services = new Services().scoped(A, [], (async () => ({})) as () => object);
  assert.match(problemsIn(services)[0] ?? "", /Only singletons can be asynchronous/);
});

test("programs without types are told what is wrong with a registration", () => {
  const untyped = new Services() as unknown as Record<"singleton" | "scoped", (...values: unknown[]) => unknown>;
  class Takes {
    readonly thing: unknown;
    constructor(thing: unknown) {
      this.thing = thing;
    }
  }
  assert.throws(() => untyped.singleton(Takes), /takes 1 parameters, but its static inject list names 0/);
  assert.throws(() => untyped.singleton(A), /A was registered without a class or a factory/);
  assert.throws(() => untyped.scoped(A, [undefined], make), /dependency 1 of A is neither a class nor a token/);
  assert.throws(() => new Services().value(ScopeFactory, { createScope: () => assert.fail() }), /container's own/);
});

test("nothing can be registered after the build", async () => {
  const services = new Services();
  await using _root = services.build();
  assert.throws(() => services.value(A, {}), /registered after the container was built/);
});
