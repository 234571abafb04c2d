/** What a store's own tests hand to the suite, and what each of its tests gets. */
import { test } from "node:test";
import type { Store } from "../../store/contract.ts";
import { sleep, systemClock } from "../../time/index.ts";

/** A store to be tried: open, empty, used by one test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Moves the store's clocks forward by so many milliseconds. Left out by a store that lives in real time: the suite then waits. */
  advance?(milliseconds: number): Promise<void>;
  /** Sets the wall clock alone, as an NTP step would. Left out when it cannot be set. */
  jump?(by: number): void;
  /** A second store on the same data, open, as another process would have it; the suite closes it. Left out when there is none. */
  second?(): Promise<Store>;
  /** Opens a transaction of a caller's own. Left out by a store in which an open one keeps everybody else from writing. */
  begin?(): Promise<CallersTransaction>;
  /** Names of places inside the store's operations where it can be held up, if it has any. */
  readonly pausePoints?: readonly string[];
  /** The points that operations of {@link store} came to since this was last asked. Without it, all are tried with all. */
  passedPoints?(): Promise<readonly string[]>;
  /** Holds up the next operation of {@link store} that comes to this point. Needed with {@link pausePoints}. */
  pauseAt?(point: string): Promise<Pause>;
  /** Closes the store and removes its data. */
  dispose(): Promise<void>;
}

/** A transaction of the application's own, for the `tx` of an enqueue. */
export interface CallersTransaction {
  readonly tx: unknown;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** An operation held up somewhere. */
export interface Pause {
  /** Resolves when an operation stands there. */
  readonly reached: Promise<void>;
  /** Lets it go on, and every later one pass. */
  release(): Promise<void>;
}

/** How the suite gets stores. */
export interface StoreHarness {
  create(): Promise<StoreUnderTest>;
}

/** What a test works on. */
export interface Given {
  readonly store: Store;
  /** Lets time pass on the store's clocks. */
  passTime(milliseconds: number): Promise<void>;
  /** Sets the wall clock; null when the store's cannot be set. */
  readonly jump: ((by: number) => void) | null;
  /** Opens a transaction that may stay open while others work; null when there is none. */
  readonly begin: (() => Promise<CallersTransaction>) | null;
  readonly pausePoints: readonly string[];
  readonly passedPoints: () => Promise<readonly string[]>;
  readonly pauseAt: (point: string) => Promise<Pause>;
  /** Whether time passes only when told to, so that a test may let much of it pass. */
  readonly virtual: boolean;
  /** Another store on the same data; null when this kind of store has none. */
  readonly second: (() => Promise<Store>) | null;
}

/** How much longer than asked real time is waited for: databases round their clocks. */
const MARGIN = 20;

/** One test on a fresh store. */
export function storeTest(harness: StoreHarness, name: string, body: (given: Given) => Promise<void>): void {
  test(name, () => onFreshStore(harness, body));
}

/** Runs something on a fresh store, which is gone afterwards. */
export async function onFreshStore<T>(harness: StoreHarness, body: (given: Given) => Promise<T>): Promise<T> {
  const under = await harness.create();
  const seconds: Store[] = [];
  const second = under.second?.bind(under);
  try {
    return await body({
      store: under.store,
      passTime: async (milliseconds) => {
        if (under.advance === undefined) await sleep(systemClock, milliseconds + MARGIN);
        else await under.advance(milliseconds);
      },
      jump: under.jump?.bind(under) ?? null,
      begin: under.begin?.bind(under) ?? null,
      virtual: under.advance !== undefined,
      pausePoints: under.pauseAt === undefined ? [] : (under.pausePoints ?? []),
      passedPoints: under.passedPoints?.bind(under) ?? (async () => under.pausePoints ?? []),
      pauseAt:
        under.pauseAt?.bind(under) ??
        (async () => ({ reached: new Promise(() => undefined), release: async () => undefined })),
      second:
        second === undefined
          ? null
          : async () => {
              const store = await second();
              seconds.push(store);
              return store;
            },
    });
  } finally {
    for (const store of seconds) await store.close();
    await under.dispose();
  }
}

/** Waits for a fact, looking again and again; rejects when it has not come about in time. */
export async function eventually(what: string, fact: () => boolean | Promise<boolean>, within = 10_000): Promise<void> {
  const deadline = systemClock.monotonic() + within;
  while (!(await fact())) {
    if (systemClock.monotonic() > deadline) throw new Error(`Not within ${within} ms: ${what}`);
    await sleep(systemClock, 2);
  }
}
