/** A store that fails when told to: before it does what is asked, or after, so that only the answer is lost. */
import type { Store } from "../../../src/store/contract.ts";

type Method = { [K in keyof Store]: Store[K] extends (...args: never[]) => Promise<unknown> ? K : never }[keyof Store];

export interface Faults {
  /** The next `times` calls of the method fail, `before` or `after` the store has done its work. */
  fail(method: Method, when: "before" | "after", times?: number): void;
  /** Calls of the method wait until the promise resolves. */
  hold(method: Method, until: Promise<void>): void;
  /** All later calls succeed. */
  heal(): void;
  /** How often each method was called. */
  readonly calls: ReadonlyMap<string, number>;
}

export function faulty(store: Store): { readonly store: Store; readonly faults: Faults } {
  const failing = new Map<string, { when: "before" | "after"; times: number }>();
  const held = new Map<string, Promise<void>>();
  const calls = new Map<string, number>();
  const call = async (method: string, real: (...args: unknown[]) => Promise<unknown>, args: unknown[]) => {
    calls.set(method, (calls.get(method) ?? 0) + 1);
    const fault = failing.get(method);
    await held.get(method);
    if (fault === undefined || fault.times <= 0) return real.apply(store, args);
    fault.times--;
    if (fault.when === "after") await real.apply(store, args);
    throw new Error(`${method} broke ${fault.when}`);
  };
  const proxy = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key !== "string") return value;
      if (key === "subscribe" || key === "info") return value.bind(target);
      return (...args: unknown[]) => call(key, value as (...args: unknown[]) => Promise<unknown>, args);
    },
  });
  return {
    store: proxy,
    faults: {
      fail: (method, when, times = Number.POSITIVE_INFINITY) => void failing.set(method, { when, times }),
      hold: (method, until) => void held.set(method, until),
      heal: () => failing.clear(),
      calls,
    },
  };
}
