/**
 * The room on each kind of store, on a clock that only moves when told to: the database's own as well. Nothing runs by
 * itself; a test lets schedulers look when it wants, several at once if it wants.
 */
import { join } from "node:path";
import { it } from "node:test";
import { Declarations } from "../../src/scheduling/declarations.ts";
import { fireBatch } from "../../src/scheduling/firing.ts";
import { Reader } from "../../src/scheduling/readable.ts";
import type { Store } from "../../src/store/contract.ts";
import { memory } from "../../src/store/memory/index.ts";
import { postgres } from "../../src/store/postgres/index.ts";
import { sqlite } from "../../src/store/sqlite/index.ts";
import { silentLogger } from "../../src/telemetry/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { emptySchema, freshSchema, postgresUrl, rawClient } from "../support/postgres.ts";
import { declaredOf, START, tick, type World, world } from "./harness.ts";

export const KINDS = ["memory", "sqlite", "postgres"] as const;
export type Kind = (typeof KINDS)[number];

export interface SteppedWorld extends World {
  readonly kind: Kind;
  /** Lets time pass everywhere. */
  pass(milliseconds: number): Promise<void>;
  /** One scheduler looks and fires until nothing is due. */
  round(by?: string, through?: Store): Promise<void>;
  /** Brings declarations into the store as an instance of an application would; gives what ends its life. */
  declares(declared: readonly unknown[], through?: Store): Promise<() => Promise<void>>;
  /** A second store on the same data, as another process would have it; for memory the same. */
  readonly other: Store;
}

/** One test on each kind of store. */
export function onEachStore(name: string, body: (w: SteppedWorld) => Promise<void>): void {
  for (const kind of KINDS) {
    it(`${kind}: ${name}`, async () => {
      await using w = await worldOn(kind);
      await body(w);
    });
  }
}

/** Schemas whose tests are over: emptying one takes a tenth of the time that making one does. */
const emptied: string[] = [];

interface Place extends AsyncDisposable {
  readonly store: Store;
  readonly other: Store;
  setClock(now: number): Promise<void>;
}

async function placeOf(kind: Kind): Promise<Place> {
  if (kind === "memory") {
    const store = memory();
    return { store, other: store, setClock: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  if (kind === "sqlite") {
    const folder = temporaryFolder();
    const open = () => sqlite({ path: join(folder.path, "test.db"), durability: "normal" });
    const end = async () => folder[Symbol.dispose]();
    return { store: open(), other: open(), setClock: async () => undefined, [Symbol.asyncDispose]: end };
  }
  const connectionString = await postgresUrl();
  const schema = emptied.pop() ?? freshSchema();
  const open = () => postgres({ connectionString, schema, connections: 4 });
  const raw = await rawClient(connectionString);
  return {
    store: open(),
    other: open(),
    async setClock(now) {
      await raw.query(
        `create or replace function ${schema}.now_ms() returns bigint language sql volatile return ${now}`,
      );
    },
    async [Symbol.asyncDispose]() {
      await emptySchema(raw, schema);
      await raw.end();
      emptied.push(schema);
    },
  };
}

/** A world on one kind of store. */
export async function worldOn(kind: Kind): Promise<SteppedWorld> {
  await using made = new AsyncDisposableStack();
  const place = made.use(await placeOf(kind));
  const w = made.use(await world(undefined, place.store));
  const { clock, logger } = w;
  if (place.other !== place.store) {
    await place.other.open({ clock, logger: silentLogger });
    made.defer(() => place.other.close());
  }
  await place.setClock(Date.parse(START));
  const kept = made.move();
  return {
    ...w,
    kind,
    other: place.other,
    async pass(milliseconds) {
      await clock.advance(milliseconds);
      await place.setClock(clock.now());
    },
    async round(by = "a", store = w.store) {
      const parts = { store, reader: new Reader(), definitionOf: () => tick, clock, logger, by };
      for (let turn = 0; turn < 1_000; turn++) {
        const { now, due } = await store.dueSchedules(500);
        if (due.length === 0) return;
        const { broken } = await fireBatch(parts, due, now);
        if (broken[0] !== undefined) throw broken[0].error;
      }
      throw new Error("The scheduler never comes to an end.");
    },
    async declares(declared, store = w.store) {
      const parts = { app: "shop", by: "declarer", logger, declared: async () => declaredOf(declared) };
      const declarations = new Declarations(parts);
      await declarations.reconcile(store);
      return () => declarations.leave(store);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
