/**
 * Queues, lanes and job names are numbers in the tables. Their numbers are looked up once and never change or go away in
 * while one server runs, so a process may remember them until it meets another one (meeting.ts). Always on a connection of
 * our own: a name first written inside a caller's transaction would make everybody else wait for that transaction, or
 * vanish with it.
 */
import { NightshiftError } from "../../errors/index.ts";
import { numbers, texts } from "./arrays.ts";
import type { Database } from "./database.ts";
import { Elsewhere, here } from "./elsewhere.ts";

/** A queue's lane of one priority. */
export interface Lane {
  readonly id: number;
  readonly queue: string;
  readonly priority: number;
}

/** Looking up twice is enough unless somebody writes the same name between: then once more. */
const ROUNDS = 5;

/** The numbers of names. */
export class Names {
  /** When the server started that these numbers hold on: a statement with them does nothing on another one. */
  readonly server: string | null;
  /** The past that it went on from. */
  readonly history: string;
  readonly #database: Database;
  readonly #queues = new Map<string, number>();
  readonly #queueNames = new Map<number, string>();
  readonly #kinds = new Map<string, number>();
  readonly #kindNames = new Map<number, string>();
  readonly #lanes = new Map<string, Lane>();
  readonly #laneById = new Map<number, Lane>();
  readonly #kindLists = new WeakMap<ReadonlySet<string>, { readonly size: number; readonly list: string }>();

  constructor(database: Database, server: string | null, history: string) {
    this.#database = database;
    this.server = server;
    this.history = history;
  }

  /** The number of a queue that was looked up before. */
  queue(name: string): number {
    return known(this.#queues.get(name), "queue", name);
  }
  kind(name: string): number {
    return known(this.#kinds.get(name), "job name", name);
  }
  lane(queue: string, priority: number): number {
    return known(this.#lanes.get(`${priority} ${queue}`), "lane", queue).id;
  }
  hasQueue(name: string): boolean {
    return this.#queues.has(name);
  }
  hasLane(queue: string, priority: number): boolean {
    return this.#lanes.has(`${priority} ${queue}`);
  }
  hasKind(name: string): boolean {
    return this.#kinds.has(name);
  }

  /** The array of numbers of a set of job names, if it was asked for before: workers pass the same set each time. */
  keptKindList(names: ReadonlySet<string>): string | null {
    const kept = this.#kindLists.get(names);
    return kept !== undefined && kept.size === names.size ? kept.list : null;
  }

  /** The array of numbers of a set of job names, kept beside the set. */
  async kindList(names: ReadonlySet<string>): Promise<string> {
    const kept = this.keptKindList(names);
    if (kept !== null) return kept;
    await this.learnKinds(names);
    const list = numbers([...names].map((name) => this.kind(name)));
    this.#kindLists.set(names, { size: names.size, list });
    return list;
  }

  async learnQueues(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#queues.has(name));
    await this.#learn("queue", missing, this.#queues, this.#queueNames);
  }

  async learnKinds(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#kinds.has(name));
    await this.#learn("kind", missing, this.#kinds, this.#kindNames);
  }

  /** Learns the lanes of these queues and priorities, made where missing. */
  async learnLanes(wanted: readonly { readonly queue: string; readonly priority: number }[]): Promise<void> {
    const missing = wanted.filter(({ queue, priority }) => !this.#lanes.has(`${priority} ${queue}`));
    if (missing.length === 0) return;
    await this.learnQueues(missing.map(({ queue }) => queue));
    const s = this.#database.settings.quoted;
    const values = [
      numbers(missing.map(({ queue }) => this.queue(queue))),
      numbers(missing.map(({ priority }) => priority)),
    ];
    await this.#database.run(
      {
        name: "add_lanes",
        text: `insert into ${s}.lane (queue_id, priority) select distinct * from unnest($1::int[], $2::int[]) where ${here(3)} order by 1, 2 on conflict do nothing`,
      },
      [...values, this.server],
      "always",
    );
    const rows = await this.#database.run(
      {
        name: "find_lanes",
        text: `select l.id, l.queue_id, l.priority from ${s}.lane l join unnest($1::int[], $2::int[]) as u (queue, priority) on l.queue_id = u.queue and l.priority = u.priority`,
      },
      values,
      "always",
    );
    for (const [id, queue, priority] of rows) this.#keepLane(Number(id), Number(queue), Number(priority));
    if (!missing.every(({ queue, priority }) => this.hasLane(queue, priority))) throw new Elsewhere();
  }

  /** The lane of a number that a row has, if it was met before. */
  laneById(id: number): Lane | undefined {
    return this.#laneById.get(id);
  }
  /** The job name of a number that a row has, if it was met before. */
  kindById(id: number): string | undefined {
    return this.#kindNames.get(id);
  }

  /** The names of lanes and kinds met in rows; looked up when another process made them. */
  async lanesById(ids: Iterable<number>): Promise<(id: number) => Lane> {
    const missing = [...new Set(ids)].filter((id) => !this.#laneById.has(id));
    if (missing.length > 0) {
      const s = this.#database.settings.quoted;
      const text = `select l.id, l.priority, q.id, q.name from ${s}.lane l join ${s}.queue q on q.id = l.queue_id where l.id = any ($1::int[])`;
      for (const [id, priority, queue, name] of await this.#database.run(
        { name: "lanes", text },
        [numbers(missing)],
        "always",
      )) {
        this.#queues.set(name ?? "", Number(queue));
        this.#queueNames.set(Number(queue), name ?? "");
        this.#keepLane(Number(id), Number(queue), Number(priority));
      }
    }
    return (id) => known(this.#laneById.get(id), "lane", String(id));
  }

  async kindsById(ids: Iterable<number>): Promise<(id: number) => string> {
    const missing = [...new Set(ids)].filter((id) => !this.#kindNames.has(id));
    if (missing.length > 0) {
      const text = `select k.id, k.name from ${this.#database.settings.quoted}.kind k where k.id = any ($1::int[])`;
      for (const [id, name] of await this.#database.run({ name: "kinds", text }, [numbers(missing)], "always")) {
        this.#kinds.set(name ?? "", Number(id));
        this.#kindNames.set(Number(id), name ?? "");
      }
    }
    return (id) => known(this.#kindNames.get(id), "job name", String(id));
  }

  async queuesById(ids: Iterable<number>): Promise<(id: number) => string> {
    const missing = [...new Set(ids)].filter((id) => !this.#queueNames.has(id));
    if (missing.length > 0) {
      const text = `select q.id, q.name from ${this.#database.settings.quoted}.queue q where q.id = any ($1::int[])`;
      for (const [id, name] of await this.#database.run({ name: "queues", text }, [numbers(missing)], "always")) {
        this.#queues.set(name ?? "", Number(id));
        this.#queueNames.set(Number(id), name ?? "");
      }
    }
    return (id) => known(this.#queueNames.get(id), "queue", String(id));
  }

  async #learn(
    table: "queue" | "kind",
    missing: readonly string[],
    ids: Map<string, number>,
    names: Map<number, string>,
  ) {
    const s = this.#database.settings.quoted;
    let left = missing;
    for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
      // Looked for before it is written: a conflict would burn a number each time.
      const text = `select t.id, t.name from ${s}.${table} t where t.name = any ($1::text[])`;
      for (const [id, name] of await this.#database.run({ name: `find_${table}`, text }, [texts(left)], "always")) {
        ids.set(name ?? "", Number(id));
        names.set(Number(id), name ?? "");
      }
      left = left.filter((name) => !ids.has(name));
      if (left.length === 0) return;
      const add = `insert into ${s}.${table} (name) select distinct u from unnest($1::text[]) as u where ${here(2)} order by u on conflict do nothing`;
      await this.#database.run({ name: `add_${table}`, text: add }, [texts(left), this.server], "always");
    }
    if (left.length > 0) throw new Elsewhere();
  }

  #keepLane(id: number, queueId: number, priority: number): void {
    const queue = known(this.#queueNames.get(queueId), "queue", String(queueId));
    const lane = { id, queue, priority };
    this.#lanes.set(`${priority} ${queue}`, lane);
    this.#laneById.set(id, lane);
  }
}

function known<T>(value: T | undefined, what: string, name: string): T {
  if (value !== undefined) return value;
  throw new NightshiftError("NS_STORE_CORRUPT", `The ${what} ${JSON.stringify(name)} is not in its table.`);
}
