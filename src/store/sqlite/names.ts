/** Names (of queues, jobs, instances) as small numbers. Rows of the name table are never changed or removed, so what is committed may be remembered. */
import type { Connection } from "./connection.ts";
import { FIND_NAME, INSERT_NAME, NAME_OF } from "./sql/names.ts";

/** Beyond this the memory is started afresh: an application with that many names makes them up as it goes. */
const MOST_REMEMBERED = 10_000;

/** What this process knows of the name table. Only committed names go in: an id that was rolled back is given out again. */
export class KnownNames {
  readonly #ids = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  idOf(text: string): number | undefined {
    return this.#ids.get(text);
  }

  textOf(id: number): string | undefined {
    return this.#texts.get(id);
  }

  learn(names: ReadonlyMap<string, number> | null): void {
    if (names === null) return;
    for (const [text, id] of names) {
      if (this.#ids.size >= MOST_REMEMBERED) {
        this.#ids.clear();
        this.#texts.clear();
      }
      this.#ids.set(text, id);
      this.#texts.set(id, text);
    }
  }
}

/** The name table as one transaction sees it. */
export class Names {
  readonly #on: Connection;
  readonly #known: KnownNames;
  #fresh: Map<string, number> | null = null;

  constructor(on: Connection, known: KnownNames) {
    this.#on = on;
    this.#known = known;
  }

  /** Found or made in this transaction; to be learned once it is committed. Null in most, which meet no new name. */
  get fresh(): ReadonlyMap<string, number> | null {
    return this.#fresh;
  }

  /** The number of a name, made if need be. */
  idOf(text: string): number {
    const known = this.find(text);
    if (known !== undefined) return known;
    const made = this.#on.get<{ id: number }>(INSERT_NAME, text);
    return this.#found(text, Number(made?.id));
  }

  /** The number of a name; undefined when nobody has used it. */
  find(text: string): number | undefined {
    const known = this.#known.idOf(text) ?? this.#fresh?.get(text);
    if (known !== undefined) return known;
    const found = this.#on.get<{ id: number }>(FIND_NAME, text);
    return found === undefined ? undefined : this.#found(text, found.id);
  }

  textOf(id: number): string {
    const known = this.#known.textOf(id);
    if (known !== undefined) return known;
    const text = this.#on.get<{ text: string }>(NAME_OF, id)?.text ?? "";
    this.#found(text, id);
    return text;
  }

  #found(text: string, id: number): number {
    this.#fresh ??= new Map();
    this.#fresh.set(text, id);
    return id;
  }
}
