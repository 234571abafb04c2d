/** The file, open: one connection that writes, one that reads, and the watch. */
import { randomUUID } from "node:crypto";

import { NightshiftError } from "../../errors/index.ts";
import type { LoggerLike } from "../../telemetry/logger.ts";
import { sleep, systemClock } from "../../time/index.ts";
import type { StoreContext, Wake } from "../contract.ts";
import type { WakeCollector } from "../shared/listeners.ts";
import { CHECKPOINT_PAGES, Checkpoints, LOG_LEFT } from "./checkpoints.ts";
import { Connection } from "./connection.ts";
import { DatabaseSync } from "./driver.ts";
import { isBusy, translate } from "./errors.ts";
import { type FileIdentity, identityOf, prepareFile, sameFile } from "./file.ts";
import type { Reading } from "./inspection.ts";
import { Machine } from "./machine.ts";
import { migrate } from "./migrate.ts";
import { KnownNames, Names } from "./names.ts";
import type { Settings } from "./options.ts";
import { Others } from "./others.ts";
import { enterProcess, leaveProcess, newStoreMark } from "./processes.ts";
import { BEGIN_READING, COMMIT } from "./sql/transaction.ts";
import { Syncing } from "./syncing.ts";
import { Transaction } from "./transaction.ts";
import { CallersConnections } from "./tx.ts";
import { Watcher } from "./wake.ts";
import { Writer } from "./writer.ts";

/** How long the driver itself may wait for a lock: it stops the whole process meanwhile. The rest is waited for outside. */
const DRIVER_BUSY_TIMEOUT = 2;

/** How long a look at the files counts, in milliseconds: it takes as long as a fifth of a commit, and nobody knows to a hundredth of a second what is in a file that is moved away. */
const CHECK_HOLDS = 10;

export class Database {
  readonly machine: Machine;
  readonly writer: Writer;
  readonly watcher: Watcher;
  readonly callers: CallersConnections;
  readonly #checkpoints: Checkpoints;
  readonly engine: string;
  readonly #settings: Settings;
  readonly #writing: DatabaseSync;
  readonly #writes: Connection;
  readonly #reading: DatabaseSync;
  readonly #reader: Connection;
  readonly #readNames = new KnownNames();
  readonly #mark: string;
  readonly #files: readonly (readonly [path: string, identity: FileIdentity | null])[];
  readonly #logger: LoggerLike;
  #lost: NightshiftError | null = null;
  #checkedAt = Number.NEGATIVE_INFINITY;

  /** @throws NS_STORE_FOREIGN, NS_STORE_VERSION, NS_STORE_CORRUPT, NS_STORE_UNAVAILABLE, NS_STORE_UNSUPPORTED, NS_STORE_BUSY */
  static async open(
    settings: Settings,
    context: StoreContext,
    onWake: (wakes: Iterable<Wake>) => void,
  ): Promise<Database> {
    prepareFile(settings.path);
    const machine = new Machine(context.clock);
    const mark = newStoreMark(randomUUID());
    let writing: DatabaseSync | null = null;
    try {
      writing = new DatabaseSync(settings.path);
      await setUp(writing, machine, settings, mark);
      return new Database(writing, { settings, context, machine, mark, onWake });
    } catch (error) {
      writing?.close();
      throw translate(error, settings.path);
    }
  }

  private constructor(
    writing: DatabaseSync,
    parts: {
      readonly settings: Settings;
      readonly context: StoreContext;
      readonly machine: Machine;
      readonly mark: string;
      readonly onWake: (wakes: Iterable<Wake>) => void;
    },
  ) {
    const { settings, context, machine, mark, onWake } = parts;
    this.#settings = settings;
    this.#writing = writing;
    this.#mark = mark;
    this.machine = machine;
    const { path, busyTimeout, pollInterval } = settings;
    const on = new Connection(writing);
    this.#writes = on;
    this.engine = engineOf(on);
    const others = new Others(on);
    const syncing = new Syncing(on, settings.durability);
    const onCommit = (wakes: WakeCollector) => {
      this.#checkpoints.committed();
      if (wakes.isEmpty) return;
      if (others.any) this.watcher.committed();
      onWake(wakes);
    };
    this.#checkpoints = new Checkpoints(on, context.logger);
    const onRest = () => this.watcher.settled();
    const check = (now: number) => this.#checkNowAndThen(now);
    this.writer = new Writer({ on, machine, others, syncing, path, busyTimeout, onCommit, onRest, check });
    this.callers = new CallersConnections(path);
    this.#reading = new DatabaseSync(path, { readOnly: true });
    this.#reading.exec(`PRAGMA busy_timeout = ${DRIVER_BUSY_TIMEOUT}; PRAGMA query_only = ON`);
    this.#reader = new Connection(this.#reading);
    this.#files = [path, `${path}-wal`].map((file) => [file, identityOf(file)]);
    const { logger } = context;
    this.#logger = logger;
    const onChange = () => onWake([{ what: "unknown" }]);
    this.watcher = new Watcher({ on, path, pollInterval, logger, onChange, check: () => this.#checkFiles() });
  }

  /**
   * @throws NS_STORE_UNAVAILABLE once the file or its log was replaced or removed: what is written here would be lost,
   * and might damage what others write there.
   */
  assertWhole(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** Reads one moment. Synchronous, so that no snapshot is ever held while the process does something else. */
  read<T>(question: (reading: Reading) => T): T {
    const on = this.#reader;
    return this.#ask(on, this.#readNames, (names) => {
      on.run(BEGIN_READING);
      try {
        return question({ on, nameOf: (id) => names.textOf(id) });
      } finally {
        on.run(COMMIT);
      }
    });
  }

  /**
   * Asks on the writing connection what the next transaction will ask too: it finds the pages in memory then. For who
   * knows that nothing is being written.
   */
  peek<T>(question: (on: Connection, names: Names) => T): T {
    return this.#ask(this.#writes, this.writer.names, (names) => question(this.#writes, names));
  }

  #ask<T>(on: Connection, known: KnownNames, question: (names: Names) => T): T {
    try {
      const names = new Names(on, known);
      const answer = question(names);
      known.learn(names.fresh);
      return answer;
    } catch (error) {
      throw translate(error, this.#settings.path);
    }
  }

  /** A transaction of a caller's own, to write in at once. All or nothing, also when the caller goes on after an error. */
  inTransactionOf<T>(tx: unknown, operation: (tx: Transaction) => T): T {
    try {
      this.#checkInPlace();
      const on = this.callers.of(tx);
      on.driver.exec("SAVEPOINT nightshift_tx");
      try {
        const result = operation(new Transaction(on, this.machine, this.writer.names));
        on.driver.exec("RELEASE nightshift_tx");
        return result;
      } catch (error) {
        undo(on);
        throw error;
      }
    } catch (error) {
      throw translate(error, this.#settings.path);
    } finally {
      this.watcher.expectSoon();
    }
  }

  /** Before writes: what goes into a file that was moved away is lost, though it was promised. */
  #checkNowAndThen(now: number): void {
    if (now - this.#checkedAt >= CHECK_HOLDS) {
      this.#checkedAt = now;
      this.#checkInPlace();
    } else this.assertWhole();
  }

  #checkInPlace(): void {
    try {
      this.#checkFiles();
    } catch {
      return; // it cannot be told now; the watcher, which looks as well, says why
    }
    this.assertWhole();
  }

  #checkFiles(): void {
    const changed = this.#files.find(([file, identity]) => !sameFile(identityOf(file), identity));
    if (changed === undefined || this.#lost !== null) return;
    const message = `${changed[0]} was replaced or removed while it was open. Close the store, put the right files back, and open it again.`;
    this.#lost = new NightshiftError("NS_STORE_UNAVAILABLE", message, { details: { path: changed[0] } });
    this.#logger.fatal({ err: this.#lost }, "the database file is no longer the one that was opened");
  }

  async close(): Promise<void> {
    await this.writer.drained();
    // Only tidiness: a process that dies is taken out by the next one to open.
    if (this.#lost === null)
      await this.writer.submit((tx) => leaveProcess(tx, tx.machine.mark, this.#mark)).catch(() => undefined);
    this.#checkpoints[Symbol.dispose]();
    this.watcher[Symbol.dispose]();
    this.#reading.close();
    this.#writing.close();
  }
}

async function setUp(database: DatabaseSync, machine: Machine, settings: Settings, mark: string): Promise<void> {
  const { path, durability, busyTimeout } = settings;
  const on = new Connection(database);
  database.exec(`PRAGMA busy_timeout = ${DRIVER_BUSY_TIMEOUT}`);
  const patiently = async (step: () => void): Promise<void> => {
    const deadline = systemClock.monotonic() + busyTimeout;
    for (;;) {
      try {
        return step();
      } catch (error) {
        if (database.isTransaction !== false) rollBack(database);
        if (!isBusy(error) || systemClock.monotonic() > deadline) throw error;
      }
      await sleep(systemClock, 5 + 20 * Math.random());
    }
  };
  await patiently(() => {
    const mode = on.get<{ journal_mode: string }>("PRAGMA journal_mode = WAL")?.journal_mode;
    if (mode === "wal") return;
    const message = `${path} cannot use a write-ahead log here (journal mode ${mode}). Use a local disk.`;
    throw new NightshiftError("NS_STORE_UNSUPPORTED", message);
  });
  database.exec(`
    PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${LOG_LEFT};
    PRAGMA cache_size = -4000`);
  await patiently(() => {
    database.exec("BEGIN IMMEDIATE");
    migrate(on, path, machine.at().now);
    enterProcess(new Transaction(on, machine, new KnownNames()), path, mark, engineOf(on));
    database.exec("COMMIT");
  });
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    return; // nothing was open: the error that led here is the one to tell
  }
}

/** Takes back our part of a caller's transaction. After a full disk SQLite has taken back all of it, and there is nothing to undo. */
function undo(on: Connection): void {
  try {
    on.driver.exec("ROLLBACK TO nightshift_tx; RELEASE nightshift_tx");
  } catch {
    return; // the error that led here is the one to tell
  }
}

function engineOf(on: Connection): string {
  return on.get<{ version: string }>("SELECT sqlite_version() AS version")?.version ?? "unknown";
}
