/** Lifetimes, lists, scopes: statements C-108 to C-120 of the conformance list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NightshiftError } from "../../src/errors/index.ts";
import { all, optional, Resolver, ScopeFactory, Services, token } from "../../src/services/index.ts";

class Thing {}
class Other {}
interface Plugin {
  readonly name: string;
}
const Plugin = token<Plugin>("Plugin");
const plugin = (name: string) => (): Plugin => ({ name });

test("C-108 a transient is a new instance per resolve, also inside one scope", async () => {
  await using root = new Services().transient(Thing).build();
  const scope = root.createScope();
  assert.notEqual(root.get(Thing), root.get(Thing));
  assert.notEqual(scope.get(Thing), scope.get(Thing));
});

test("C-109 a singleton is one instance for root and scopes, made with the root's resolver", async () => {
  class Holder {
    static readonly inject = [Resolver] as const;
    readonly resolver: Resolver;
    constructor(resolver: Resolver) {
      this.resolver = resolver;
    }
  }
  await using root = new Services().singleton(Holder).scoped(Thing).build();
  await using scope = root.createScope();
  const holder = scope.get(Holder);
  assert.equal(holder, root.get(Holder));
  assert.equal(holder, root.createScope().get(Holder));
  assert.throws(() => holder.resolver.get(Thing), { code: "NS_SERVICE_SCOPE" });
});

test("C-110 a scoped service is one per scope: different between scopes and nested scopes", async () => {
  await using root = new Services().scoped(Thing).build();
  const scope = root.createScope();
  const nested = scope.createScope();
  assert.equal(scope.get(Thing), scope.get(Thing));
  assert.notEqual(scope.get(Thing), nested.get(Thing));
  assert.notEqual(scope.get(Thing), root.createScope().get(Thing));
});

test("C-111 a registered instance is returned as it is", async () => {
  const thing = new Thing();
  await using root = new Services().value(Thing, thing).build();
  assert.equal(root.get(Thing), thing);
  assert.equal(root.createScope().get(Thing), thing);
});

test("C-112 factories receive what they name, the resolver included, and their lifetime is honoured", async () => {
  const Pair = token<{ thing: Thing; resolver: Resolver }>("Pair");
  await using root = new Services()
    .scoped(Thing)
    .scoped(Pair, [Thing, Resolver], (thing, resolver) => ({ thing, resolver }))
    .singleton(Plugin, [], plugin("one"))
    .transient(Other, [Plugin], () => new Other())
    .build();
  const scope = root.createScope();
  assert.equal(scope.get(Pair), scope.get(Pair));
  assert.equal(scope.get(Pair).thing, scope.get(Thing));
  assert.equal(scope.get(Pair).resolver.get(Thing), scope.get(Thing));
  assert.equal(root.get(Plugin), scope.get(Plugin));
  assert.notEqual(root.get(Other), root.get(Other));
});

test("C-113 of several registrations a single resolve gives the last", async () => {
  await using root = new Services().singleton(Plugin, [], plugin("a")).singleton(Plugin, [], plugin("b")).build();
  assert.equal(root.get(Plugin).name, "b");
});

test("C-114 all() gives every registration in the order of registration", async () => {
  for (const names of [
    ["a", "b", "c"],
    ["c", "b", "a"],
  ]) {
    const services = new Services();
    for (const name of names) services.transient(Plugin, [], plugin(name));
    await using root = services.build();
    const given = root.get(all(Plugin)).map(({ name }) => name);
    assert.deepEqual(given, names);
  }
});

test("C-115 all() of one registration is a list of one, of none an empty list", async () => {
  await using root = new Services().singleton(Thing).build();
  assert.equal(root.get(all(Thing)).length, 1);
  assert.deepEqual(root.get(all(Plugin)), []);
});

test("C-116 the same implementation registered three times gives three instances, and the single resolve the third", async () => {
  await using root = new Services().singleton(Thing).singleton(Thing).singleton(Thing).build();
  const three = root.get(all(Thing));
  assert.equal(new Set(three).size, 3);
  assert.equal(root.get(Thing), three[2]);
});

test("C-117 an optional unknown key gives undefined, a required one an error that names it", async () => {
  await using root = new Services().build();
  assert.equal(root.get(optional(Plugin)), undefined);
  assert.throws(
    () => root.get(Plugin),
    (error) => error instanceof NightshiftError && error.code === "NS_SERVICE_MISSING" && /Plugin/.test(error.message),
  );
});

test("C-118 a scope factory can be kept and used again; nested scopes are independent", async () => {
  const disposed: string[] = [];
  let count = 0;
  class Unit {
    readonly id = ++count;
    [Symbol.dispose]() {
      disposed.push(`unit ${this.id}`);
    }
  }
  await using root = new Services().scoped(Unit).build();
  const factory = root.get(ScopeFactory);
  const outer = factory.createScope();
  outer.get(Unit);
  const inner = outer.get(ScopeFactory).createScope();
  inner.get(Unit);
  await outer[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["unit 1"]);
  assert.equal(inner.get(Unit).id, 2);
  await inner[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["unit 1", "unit 2"]);
  await using again = factory.createScope();
  assert.equal(again.get(Unit).id, 3);
});

test("C-119 a scope disposes its scoped and transient instances, the root its singletons and transients", async () => {
  const disposed: string[] = [];
  const noting = (name: string) => () => ({ [Symbol.dispose]: () => void disposed.push(name) });
  const [Single, Scoped, Transient] = ["single", "scoped", "transient"].map((name) => token<Disposable>(name));
  assert.ok(Single && Scoped && Transient);
  const root = new Services()
    .singleton(Single, [], noting("single"))
    .scoped(Scoped, [], noting("scoped"))
    .transient(Transient, [], noting("transient"))
    .build();
  const scope = root.createScope();
  for (const key of [Single, Scoped, Transient]) scope.get(key);
  await scope[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["transient", "scoped"]);
  root.get(Transient);
  await root[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["transient", "scoped", "transient", "single"]);
});

test("C-120 disposal is the reverse of creation, dependants before dependencies, also through lists", async () => {
  const disposed: string[] = [];
  class Noted {
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
      disposed.push(this.constructor.name);
    }
  }
  class Pool extends Noted {}
  class PluginA extends Noted {
    static readonly inject = [Pool] as const;
    constructor(_pool: Pool) {
      super();
    }
  }
  class PluginB extends Noted {}
  const Plugins = token<Noted>("Plugins");
  class App extends Noted {
    static readonly inject = [all(Plugins), Pool] as const;
    constructor(_plugins: Noted[], _pool: Pool) {
      super();
    }
  }
  const root = new Services()
    .singleton(App)
    .singleton(Plugins, PluginA)
    .transient(Plugins, PluginB)
    .singleton(Pool)
    .build();
  root.get(App);
  await root[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["App", "PluginB", "PluginA", "Pool"]);
});

test("override replaces earlier and later registrations and keeps the lifetime", async () => {
  class Fake extends Thing {}
  await using root = new Services()
    .override(Thing, [], () => new Fake())
    .scoped(Thing)
    .build();
  const scope = root.createScope();
  assert.ok(scope.get(Thing) instanceof Fake);
  assert.equal(scope.get(Thing), scope.get(Thing));
  assert.throws(() => root.get(Thing), { code: "NS_SERVICE_SCOPE" });
});

test("what is made for the asking class knows its name", async () => {
  const Name = token<string>("Name");
  class Asking {
    static readonly inject = [Name] as const;
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
  }
  await using root = new Services()
    .named(Name, (requester) => requester ?? "nobody")
    .singleton(Asking)
    .build();
  assert.equal(root.get(Asking).name, "Asking");
  assert.equal(root.get(Name), "nobody");
});

test("another container is asked for what is missing here, one scope there per scope here, disposed with it", async () => {
  const disposed: string[] = [];
  let scopes = 0;
  const foreignScope = (name: string): { get(key: unknown): unknown; createScope(): never } & AsyncDisposable => ({
    get: (key) => (key === Plugin ? { name } : undefined),
    createScope: () => foreignScope(`scope ${++scopes}`) as never,
    async [Symbol.asyncDispose]() {
      disposed.push(name);
    },
  });
  class Uses {
    static readonly inject = [Plugin] as const;
    readonly plugin: Plugin;
    constructor(plugin: Plugin) {
      this.plugin = plugin;
    }
  }
  const root = new Services().scoped(Uses).fallback(foreignScope("root")).build();
  const scope = root.createScope();
  assert.equal(root.get(Plugin).name, "root");
  assert.equal(scope.get(Uses).plugin.name, "scope 1");
  await scope[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
  assert.deepEqual(disposed, ["scope 1"]);
});
