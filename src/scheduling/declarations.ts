/** The schedules that this application's code declares, brought into the store and kept there. The rules are in reconcile.ts. */
import { createHash, randomUUID } from "node:crypto";
import { show } from "../errors/index.ts";
import type { Store, StoredSchedule, Term } from "../store/contract.ts";
import type { LoggerLike } from "../telemetry/index.ts";
import { canonical, readDefinition } from "./definition.ts";
import { allSchedules } from "./paging.ts";
import { pauseLatecomers } from "./paused-groups.ts";
import { readNamed } from "./readable.ts";
import {
  type Declared,
  type Declarer,
  missingCalendars,
  type Standing,
  type Step,
  stepFor,
  stepForUndeclared,
} from "./reconcile.ts";

/** What {@link Declarations} are made of. */
export interface DeclarationsParts {
  /** The application: the host's name. */
  readonly app: string;
  /** The instance's name. */
  readonly by: string;
  readonly logger: LoggerLike;
  /** Reads what was declared: inputs may have to be checked by an asynchronous schema. */
  readonly declared: () => Promise<readonly Declared[]>;
}

/** What a reconciliation did, by id. */
export interface Reconciled {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** An instance says "this version lives" this often, and is believed for three times as long. */
const TERM = 60_000;
const WRITE = 500;
const TRIES = 5;

/** Keeps the store's schedules as the code says. */
export class Declarations {
  readonly #parts: DeclarationsParts;
  /** Tells instances of one name apart. */
  readonly #mark = randomUUID().slice(0, 8);
  #declared: readonly Declared[] = [];
  #version = "";
  #term: Term | null = null;
  #alive = "";

  constructor(parts: DeclarationsParts) {
    this.#parts = parts;
  }

  /** Adds, changes and removes schedules as declared. Harmless when repeated. @throws what a declared input's schema or the store says */
  async reconcile(store: Store): Promise<Reconciled> {
    this.#declared = await this.#parts.declared();
    this.#version = versionOf(this.#declared);
    await this.#claimLife(store);
    return this.#settle(store);
  }

  /** Says that this version still lives, and settles anew when versions came or went. */
  async tend(store: Store): Promise<void> {
    if (this.#declared.length === 0) return;
    await this.#claimLife(store);
    const alive = [...(await this.#versionsAlive(store))].sort().join();
    if (alive !== this.#alive) await this.#settle(store);
  }

  /** This instance's part in the version's life ends. */
  async leave(store: Store): Promise<void> {
    const term = this.#term;
    this.#term = null;
    if (term !== null) await store.resign(term.role, term.token);
  }

  async #settle(store: Store): Promise<Reconciled> {
    const { logger } = this.#parts;
    const alive = await this.#versionsAlive(store);
    const done = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
    let todo = this.#declared;
    for (let turn = 0; todo.length > 0 && turn < TRIES; turn++) {
      const by = await this.#declarer(store, alive);
      todo = await this.#write(store, todo, by, done);
    }
    for (const { id } of todo) logger.warn({ schedule: id }, "a declared schedule changed all the time and was left");
    done.removed.push(...(await this.#removeUndeclared(store, await this.#declarer(store, alive))));
    this.#alive = [...alive].sort().join();
    const { added, changed, removed } = done;
    if (added.length + changed.length + removed.length > 0) {
      logger.info({ added, changed, removed }, "schedules declared in code were brought into the store");
    }
    return done;
  }

  async #declarer(store: Store, alive: ReadonlySet<string>): Promise<Declarer> {
    const { calendars, pausedGroups } = await readNamed(store);
    for (const { id, spec } of this.#declared) {
      const missing = missingCalendars(spec, calendars);
      if (missing.length === 0) continue;
      const message =
        "a schedule uses calendars that nobody has saved, and fires nothing until schedules.saveCalendar()";
      this.#parts.logger.warn({ schedule: id, missing }, message);
    }
    return { app: this.#parts.app, version: this.#version, alive, now: await store.now(), calendars, pausedGroups };
  }

  /** One turn over declared schedules; gives those that somebody changed meanwhile. */
  async #write(
    store: Store,
    declared: readonly Declared[],
    by: Declarer,
    done: { readonly added: string[]; readonly changed: string[] },
  ): Promise<readonly Declared[]> {
    const again: Declared[] = [];
    for (let from = 0; from < declared.length; from += WRITE) {
      const part = declared.slice(from, from + WRITE);
      const stored = new Map((await store.getSchedules(part.map(({ id }) => id))).map((each) => [each.id, each]));
      const current = await this.#asOfNow(store, by);
      const steps = part.map((each) => stepFor(each, standingOf(stored.get(each.id)), current));
      for (const step of steps) this.#tell(step, stored);
      const writes = steps.filter((step) => "schedule" in step);
      if (writes.length === 0) continue;
      const written = await store.saveSchedules(
        writes.map(({ schedule }) => schedule),
        writes.map(({ expected }) => expected),
      );
      await pauseLatecomers(
        store,
        written.filter((each) => each !== null),
      );
      writes.forEach(({ kind, schedule }, index) => {
        if (written[index] === null) again.push(...part.filter(({ id }) => id === schedule.id));
        else if (kind === "add") done.added.push(schedule.id);
        else if (kind === "change") done.changed.push(schedule.id);
      });
    }
    return again;
  }

  async #removeUndeclared(store: Store, by: Declarer): Promise<readonly string[]> {
    const { logger, app } = this.#parts;
    const declared = new Set(this.#declared.map(({ id }) => id));
    let found: StoredSchedule[] = [];
    for await (const stored of allSchedules(store, { source: "code" }))
      if (!declared.has(stored.id)) found.push(stored);
    const removed: string[] = [];
    for (let turn = 0; found.length > 0 && turn < TRIES; turn++) {
      const current = await this.#asOfNow(store, by);
      const steps = found.map((stored) => stepForUndeclared(standingOf(stored), current));
      const orphans = steps.filter((step) => step.kind === "remove");
      if (orphans.length === 0) break;
      const ids = orphans.map(({ id }) => id);
      if (declared.size === 0) {
        // A process that declares nothing is more often a part of the application than its next version.
        const advice = "Remove them with schedules.remove() if they are not needed any more.";
        logger.warn({ schedules: ids }, `no running version of ${show(app)} declares these schedules. ${advice}`);
        break;
      }
      const revisions = orphans.map(({ revision }) => revision);
      const gone = new Set(await store.removeSchedules(ids, revisions));
      removed.push(...gone);
      // Whatever moved meanwhile has fired, or was adopted by a version that has just begun: it is judged anew.
      found = [...(await store.getSchedules(ids.filter((id) => !gone.has(id))))];
    }
    return removed;
  }

  /**
   * Who lives, read after the schedules that are judged by it: a version says that it lives before it adopts anything, so
   * the owner of what was read is among those alive unless it is really gone.
   */
  async #asOfNow(store: Store, by: Declarer): Promise<Declarer> {
    return { ...by, alive: await this.#versionsAlive(store) };
  }

  /** Life is a term of leadership that no other instance competes for; the store ends it when the instance is gone. */
  async #claimLife(store: Store): Promise<void> {
    if (this.#declared.length === 0) return;
    const term = this.#term;
    if (term !== null && (await store.renew(term.role, term.token, TERM))) return;
    const role = `${rolePrefix(this.#parts.app)}${this.#version}:${this.#mark}`;
    this.#term = await store.campaign(role, this.#parts.by, TERM);
  }

  async #versionsAlive(store: Store): Promise<ReadonlySet<string>> {
    const prefix = rolePrefix(this.#parts.app);
    const alive = new Set(this.#declared.length === 0 ? [] : [this.#version]);
    for (const { role } of await store.leaders()) {
      if (role.startsWith(prefix)) alive.add(role.slice(prefix.length, prefix.length + VERSION_LENGTH));
    }
    return alive;
  }

  #tell(step: Step, stored: ReadonlyMap<string, StoredSchedule>): void {
    const { logger } = this.#parts;
    if (step.kind === "yield") {
      const message =
        "a newer version of this application is running and declares this schedule otherwise; its word counts";
      logger.warn({ schedule: step.id, version: step.to }, message);
    }
    if (step.kind === "add" && step.schedule.nextAt === null && step.complete) {
      logger.warn({ schedule: step.schedule.id }, "a declared schedule has no time left and will never fire");
    }
    if ((step.kind === "change" || step.kind === "adopt") && stored.get(step.schedule.id)?.source === "dynamic") {
      logger.warn(
        { schedule: step.schedule.id },
        "a schedule created at run time is now declared in code, which takes it over",
      );
    }
  }
}

const VERSION_LENGTH = 12;

const ROLE = "schedules:";

/** The role's beginning, by which instances of one application find each other. */
export function rolePrefix(app: string): string {
  return `${ROLE}${app}:`;
}

/** Whether a role only tells that a version of an application lives: nobody leads anything by it. */
export function isVersionRole(role: string): boolean {
  return role.startsWith(ROLE);
}

/** The same declarations are the same version, whatever machine or order they come in. */
function versionOf(declared: readonly Declared[]): string {
  const sorted = [...declared].sort((a, b) => (a.id < b.id ? -1 : 1));
  const text = JSON.stringify(canonical(sorted));
  return createHash("sha256").update(text).digest("hex").slice(0, VERSION_LENGTH);
}

/** A definition that this process cannot read is not its own to judge, but may be declared over. */
function standingOf(stored: StoredSchedule): Standing;
function standingOf(stored: StoredSchedule | undefined): Standing | undefined;
function standingOf(stored: StoredSchedule | undefined): Standing | undefined {
  if (stored === undefined) return undefined;
  try {
    return { stored, definition: readDefinition(stored.id, stored.definition) };
  } catch {
    return { stored, definition: null }; // what is wrong with it is told wherever it is fired, listed or shown
  }
}
