/** Disposal, construction under way, asynchronous singletons: statements C-123 to C-130. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Resolver, Services, token } from "../../src/services/index.ts";

const Slow = token<{ readonly value: number }>("Slow");

test("C-123 disposing twice is harmless", async () => {
  let count = 0;
  class Once {
    [Symbol.dispose]() {
      count++;
    }
  }
  const root = new Services().singleton(Once).build();
  root.get(Once);
  await root[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
  assert.equal(count, 1);
});

test("C-124 resolving after disposal fails, from the root, its scopes, and the scope itself", async () => {
  class Thing {}
  const root = new Services().transient(Thing).build();
  const scope = root.createScope();
  const other = root.createScope();
  await scope[Symbol.asyncDispose]();
  assert.throws(() => scope.get(Thing), { code: "NS_SERVICE_DISPOSED" });
  other.get(Thing);
  await root[Symbol.asyncDispose]();
  for (const attempt of [() => root.get(Thing), () => other.get(Thing), () => root.createScope()]) {
    assert.throws(attempt, { code: "NS_SERVICE_DISPOSED" });
  }
});

function failing(count: number, asynchronous: boolean) {
  const disposed: number[] = [];
  const services = new Services();
  const keys = Array.from({ length: 4 }, (_, index) => token<object>(`service ${index}`));
  keys.forEach((key, index) => {
    const dispose = () => {
      disposed.push(index);
      if (index > 0 && index <= count) throw new Error(`boom ${index}`);
    };
    services.singleton(key, [], () =>
      asynchronous ? { [Symbol.asyncDispose]: async () => dispose() } : { [Symbol.dispose]: dispose },
    );
  });
  const root = services.build();
  for (const key of keys) root.get(key);
  return { disposed, dispose: () => root[Symbol.asyncDispose]() };
}

test("C-125 one failing disposer: the others are disposed, and that very error is thrown", async () => {
  for (const asynchronous of [false, true]) {
    const { disposed, dispose } = failing(1, asynchronous);
    await assert.rejects(dispose(), { message: "boom 1" });
    assert.deepEqual(disposed, [3, 2, 1, 0]);
  }
});

test("C-126 two failing disposers: all are disposed, and one error carries both", async () => {
  for (const asynchronous of [false, true]) {
    const { disposed, dispose } = failing(2, asynchronous);
    await assert.rejects(dispose(), (error) => {
      assert.ok(error instanceof AggregateError);
      assert.deepEqual(
        error.errors.map(({ message }) => message),
        ["boom 2", "boom 1"],
      );
      return true;
    });
    assert.deepEqual(disposed, [3, 2, 1, 0]);
  }
});

test("C-127 synchronous and asynchronous disposables are each disposed once, one after the other", async () => {
  const seen: string[] = [];
  class Sync {
    [Symbol.dispose]() {
      seen.push("sync");
    }
  }
  class Async {
    static readonly inject = [Sync] as const;
    readonly sync: Sync;
    constructor(sync: Sync) {
      this.sync = sync;
    }
    async [Symbol.asyncDispose]() {
      seen.push("async begins");
      await new Promise<void>((resolve) => setImmediate(resolve));
      seen.push("async ends");
    }
    [Symbol.dispose]() {
      seen.push("the wrong one");
    }
  }
  const root = new Services().singleton(Sync).singleton(Async).build();
  root.get(Async);
  await root[Symbol.asyncDispose]();
  assert.deepEqual(seen, ["async begins", "async ends", "sync"]);
});

test("C-128 an asynchronous singleton wanted twice while under construction is constructed once", async () => {
  let made = 0;
  await using root = new Services()
    .singleton(Slow, [], async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      return { value: ++made };
    })
    .build();
  const preparations = [root.prepare(), root.prepare()];
  assert.throws(() => root.get(Slow), { code: "NS_SERVICE_ASYNC" });
  await Promise.all(preparations);
  assert.equal(root.get(Slow).value, 1);
  assert.equal(made, 1);
});

test("C-129 disposing while a constructor runs: its asker is told, what was made is disposed, nothing hangs", async () => {
  const disposed: string[] = [];
  let disposal: Promise<void> | undefined;
  class Closing {
    static readonly inject = [Resolver] as const;
    constructor(_resolver: Resolver) {
      disposal = root[Symbol.asyncDispose]();
    }
    [Symbol.dispose]() {
      disposed.push("closing");
    }
  }
  const root = new Services().singleton(Closing).build();
  assert.throws(() => root.get(Closing), { code: "NS_SERVICE_DISPOSED" });
  await disposal;
  assert.deepEqual(disposed, ["closing"]);
});

test("C-129 disposing while an asynchronous factory runs waits for it and disposes what it made", async () => {
  const disposed: string[] = [];
  const gate = Promise.withResolvers<void>();
  const Connection = token<AsyncDisposable>("Connection");
  const root = new Services()
    .singleton(Connection, [], async () => {
      await gate.promise;
      return { [Symbol.asyncDispose]: async () => void disposed.push("connection") };
    })
    .build();
  const preparation = assert.rejects(root.prepare(), { code: "NS_SERVICE_DISPOSED" });
  const disposal = root[Symbol.asyncDispose]();
  gate.resolve();
  await Promise.all([preparation, disposal]);
  assert.deepEqual(disposed, ["connection"]);
});

test("C-130 what the caller supplied is not disposed, also when a factory passes it on", async () => {
  let disposed = 0;
  const mine = {
    [Symbol.dispose]() {
      disposed++;
    },
  };
  const [Mine, Alias] = [token<Disposable>("Mine"), token<Disposable>("Alias")];
  const root = new Services()
    .value(Mine, mine)
    .singleton(Alias, [Mine], (given) => given)
    .build();
  assert.equal(root.get(Alias), mine);
  await root[Symbol.asyncDispose]();
  assert.equal(disposed, 0);
});

test("asynchronous singletons are made dependencies first, and a failing one stops the preparation with its error", async () => {
  const order: string[] = [];
  const [Db, Cache, Broken] = [token<string>("Db"), token<string>("Cache"), token<string>("Broken")];
  const services = () =>
    new Services()
      .singleton(Cache, [Db], async (db) => {
        order.push("cache");
        return `cache on ${db}`;
      })
      .singleton(Db, [], async () => {
        order.push("db");
        return "db";
      });
  await using root = services().build();
  await root.prepare();
  assert.deepEqual(order, ["db", "cache"]);
  assert.equal(root.get(Cache), "cache on db");
  await using broken = services()
    .singleton(Broken, [Cache], async (): Promise<string> => {
      throw new Error("no route to host");
    })
    .build();
  await assert.rejects(broken.prepare(), { message: "no route to host" });
});

test("a plain factory that returns a promise is awaited when a prepared service needs it", async () => {
  class Needs {
    static readonly inject = [Slow] as const;
    readonly slow: { readonly value: number };
    constructor(slow: { readonly value: number }) {
      this.slow = slow;
    }
  }
  await using root = new Services()
    .singleton(Slow, [], () => Promise.resolve({ value: 7 }))
    .singleton(Needs)
    .build();
  await root.prepare([Needs]);
  assert.equal(root.get(Needs).slow.value, 7);
});

test("an instance that two registrations give is disposed once", async () => {
  let disposed = 0;
  class Store {
    [Symbol.dispose]() {
      disposed++;
    }
  }
  const Reader = token<object>("Reader");
  const root = new Services()
    .singleton(Store)
    .singleton(Reader, [Store], (store) => store)
    .build();
  assert.equal(root.get(Reader), root.get(Store));
  await root[Symbol.asyncDispose]();
  assert.equal(disposed, 1);
});
