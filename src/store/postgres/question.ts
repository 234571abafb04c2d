/**
 * A statement under way on a connection of `pg`, by the interface of its cursors: `submit`, and what is called as the
 * answer comes. Its rows stay the arrays of text that they came as, so their columns need not be described: of a lone
 * statement the description takes more time than the rows, on the server and here.
 */
import type { PgClient, Row } from "./driver.ts";

/** What the server takes as the text that it is. */
export type Value = string | number | boolean | null | undefined;

/** What is asked on one connection. Without a name it is prepared for this once, or sent as it is when it has no values. */
export interface Asked {
  readonly text: string;
  readonly values: readonly Value[];
  readonly name?: string;
}

export type Answered = (error: unknown, rows: readonly Row[]) => void;

/** A connection of `pg`, as far as its cursors use it. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void };
  /** By their names. */
  readonly parsedStatements: Readonly<Record<string, string>>;
  query(text: string): void;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(portal: { readonly statement: string; readonly values: readonly (string | null)[] }): void;
  execute(portal: object): void;
  sync(): void;
}

/** Asks, and tells the answer. */
export function put(client: Pick<PgClient, "query">, asked: Asked, answered: Answered): void {
  if (takesQuestions(client)) {
    (client as { query(question: Question): unknown }).query(new Question(asked, answered));
    return;
  }
  client.query({ ...asked, rowMode: "array", types: AS_TEXT }).then(
    ({ rows }) => answered(null, rows),
    (error: unknown) => answered(error, NO_ROWS),
  );
}

/**
 * Asks one thing and another right behind it, in a transaction of its own. They go in one packet, so that the server begins the
 * second when the first is committed, before anybody here has heard of it; it is carried out whatever became of the first. A
 * client that is not pg's own gets the second when it has answered the first, and not after a failure.
 */
export function putBoth(
  client: Pick<PgClient, "query">,
  first: Asked,
  answered: Answered,
  second: Asked,
  secondAnswered: Answered,
): void {
  if (takesQuestions(client)) {
    const takes = client as { query(question: Question): unknown };
    const next = new Question(second, secondAnswered);
    let isSent = false;
    const answeredFirst: Answered = (error, rows) => {
      if (!isSent) secondAnswered(error, NO_ROWS);
      answered(error, rows);
    };
    const sendNext = (connection: Connection) => {
      isSent = true;
      takes.query(next); // it waits there for its turn, and then for its answer: it is sent now
      next.send(connection);
    };
    takes.query(new Question(first, answeredFirst, sendNext));
    return;
  }
  put(client, first, (error, rows) => {
    if (error) secondAnswered(error, NO_ROWS);
    else put(client, second, secondAnswered);
    answered(error, rows);
  });
}

/** Not where a client only looks like pg's own (its native one, a wrapper), and not where it sends ahead. */
function takesQuestions(client: object): boolean {
  const { connection, pipeline } = client as { connection?: Partial<Connection>; pipeline?: boolean };
  return connection?.parsedStatements !== undefined && typeof connection.bind === "function" && pipeline !== true;
}

const NO_ROWS: readonly Row[] = [];
/** Every value as the text that the server sent. */
const AS_TEXT = { getTypeParser: () => (value: string | null) => value };

class Question {
  // Whatever watches statements reads these, and may put itself before the callback.
  readonly text: string;
  readonly name: string;
  readonly values: readonly (string | null)[];
  callback: Answered;
  readonly #rows: Row[] = [];
  readonly #behind: ((connection: Connection) => void) | undefined;
  #isSent = false;

  /** @param behind called to send more in the same packet */
  constructor({ text, values, name = "" }: Asked, callback: Answered, behind?: (connection: Connection) => void) {
    this.text = text;
    this.name = name;
    this.values = values.map(asText);
    this.callback = callback;
    this.#behind = behind;
  }

  submit(connection: Connection): Error | null {
    if (this.#isSent) return null;
    connection.stream.cork(); // one packet
    const refused = this.send(connection);
    if (refused === null) this.#behind?.(connection);
    connection.stream.uncork();
    return refused;
  }

  send(connection: Connection): Error | null {
    const { text, name, values } = this;
    if (name === "" && values.length === 0) {
      connection.query(text);
      this.#isSent = true;
      return null;
    }
    const before = name === "" ? undefined : connection.parsedStatements[name];
    if (before !== undefined && before !== text) return new Error(`The statement ${name} is another one already.`);
    if (before === undefined) connection.parse({ name, text });
    connection.bind({ statement: name, values });
    connection.execute(UNNAMED);
    connection.sync();
    this.#isSent = true;
    return null;
  }

  handleRowDescription(): void {
    // Of a statement without values, which is always described.
  }
  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.#rows.push(fields);
  }
  handleCommandComplete(): void {
    // How many rows there were is of no interest.
  }
  handleEmptyQuery(): void {
    // None was asked.
  }
  handleError(error: unknown): void {
    this.callback(error, NO_ROWS);
  }
  handleReadyForQuery(): void {
    this.callback(null, this.#rows);
  }
}

/** All rows at once, through the portal without a name. */
const UNNAMED = {};

function asText(value: Value): string | null {
  return value === null || value === undefined ? null : typeof value === "string" ? value : String(value);
}
