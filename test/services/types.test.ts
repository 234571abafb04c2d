/** What must and must not compile: the compiler reads this file with the others, and an unused expectation is an error. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  all,
  Clock,
  type Injectable,
  optional,
  type Resolved,
  ScopeFactory,
  Services,
  token,
} from "../../src/services/index.ts";
import type { InjectMistake } from "../../src/services/services.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(yes: Same<A, B>) => assert.equal(yes, true);

class Pool {
  readonly size = 1;
}
abstract class Plugin {
  abstract run(): string;
}
interface Rates {
  of(currency: string): number;
}
const Rates = token<Rates>("Rates");

class Good {
  static readonly inject = [Pool, Rates, all(Plugin), optional(Pool), Clock, ScopeFactory] as const;
  readonly given: readonly unknown[];
  constructor(
    pool: Pool,
    rates: Rates,
    plugins: Plugin[],
    maybe: Pool | undefined,
    clock: Clock,
    scopes: ScopeFactory,
  ) {
    this.given = [pool, rates, plugins, maybe, clock, scopes];
  }
}
class NoList {
  readonly pool: Pool;
  constructor(pool: Pool) {
    this.pool = pool;
  }
}
class WrongOrder {
  static readonly inject = [Rates, Pool] as const;
  readonly pool: Pool;
  constructor(pool: Pool, rates: Rates) {
    this.pool = pool;
    rates.of("EUR");
  }
}
class TooFew {
  static readonly inject = [Pool] as const;
  readonly pool: Pool;
  constructor(pool: Pool, rates: Rates) {
    this.pool = pool;
    rates.of("EUR");
  }
}
class MyPlugin extends Plugin {
  run() {
    return "mine";
  }
}

test("C-139 an implementation that does not fit its key, or its inject list, does not compile", () => {
  const check = (services: Services) => {
    services.singleton(Good).scoped(Pool).transient(Plugin, MyPlugin);
    services.singleton(Rates, [Pool], (pool) => ({ of: () => pool.size }));
    services.singleton(Rates, [], async () => ({ of: () => 1 }));
    services.value(Rates, { of: () => 1 });
    // @ts-expect-error the class takes a Pool and names none
    services.singleton(NoList);
    // @ts-expect-error the list is in another order than the constructor
    services.scoped(WrongOrder);
    // @ts-expect-error the list is too short
    services.transient(TooFew);
    // @ts-expect-error an abstract class cannot be constructed
    services.singleton(Plugin);
    // @ts-expect-error Pool has no of()
    services.singleton(Rates, Pool);
    // @ts-expect-error the factory makes something else
    services.singleton(Rates, [], () => ({ from: 1 }));
    // @ts-expect-error only singletons can be asynchronous
    services.scoped(Rates, [], async () => ({ of: () => 1 }));
    // @ts-expect-error the factory takes a Pool where Rates are given
    services.singleton(Plugin, [Rates], (_pool: Pool) => new MyPlugin());
    // @ts-expect-error the value is something else
    services.value(Rates, new Pool());
    // @ts-expect-error the replacement is something else
    services.override(Rates, 3);
  };
  assert.equal(typeof check, "function");
});

test("what is resolved has the type of its key", async () => {
  await using root = new Services()
    .value(Rates, { of: () => 2 })
    .transient(Plugin, MyPlugin)
    .build();
  const plugins = root.get(all(Plugin));
  const maybe = root.get(optional(Pool));
  same<typeof plugins, Plugin[]>(true);
  same<typeof maybe, Pool | undefined>(true);
  same<Resolved<typeof Good.inject>[1], Rates>(true);
  same<Resolved<readonly [typeof Pool, typeof Rates]>, [Pool, Rates]>(true);
  assert.equal(root.get(Rates).of("EUR"), 2);
  assert.equal(plugins[0]?.run(), "mine");
  assert.equal(maybe, undefined);
});

test("what is wrong with an inject list is said in words in the compiler's error", () => {
  class NotConst {
    static readonly inject = [Pool, Rates];
    readonly given: readonly unknown[];
    constructor(pool: Pool, rates: Rates) {
      this.given = [pool, rates];
    }
  }
  type Order = InjectMistake<"the static inject list must name what the constructor takes, in the same order">;
  same<Injectable<typeof WrongOrder>, Order>(true);
  same<Injectable<typeof TooFew>, Order>(true);
  same<Injectable<typeof NotConst>, InjectMistake<"write `as const` behind the static inject list">>(true);
  type List = InjectMistake<"name what the constructor takes: static readonly inject = [...] as const">;
  same<Injectable<typeof NoList>, List>(true);
  same<Injectable<typeof Good>, unknown>(true);
});
