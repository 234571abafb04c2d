/**
 * Moving a schedule to another shard, as its queue lives elsewhere now. Two databases have no commit in common, so it goes
 * in three, each of which leaves something that anybody can finish: (1) the schedule is replaced where it is by a mark
 * that holds all of it, and from then on fires there no more; (2) it is created where it belongs, unless it is there
 * already; (3) the mark is noted as done. A mark that is not done is due when its schedule was: whoever looks for due
 * schedules finishes the move. It stays, with the schedule's history, until the schedule is removed.
 */
import { messageOf } from "../../errors/index.ts";
import type { NewSchedule, StoredSchedule } from "../contract.ts";
import type { Cluster } from "./cluster.ts";
import { joinId } from "./ids.ts";
import { isPassing, type Shard } from "./shard.ts";

/** A schedule as one shard has it. */
export interface Copy {
  readonly shard: Shard;
  readonly stored: StoredSchedule;
}

interface Mark {
  readonly to: string;
  readonly done: boolean;
  readonly schedule: Omit<NewSchedule, "queue">;
}

const BEGINNING = '{"nightshift:moved":';
/** Schedules of one page, when a shard is emptied. */
const SLICE = 100;

/** Whether this is only the mark of a schedule that went elsewhere. */
export function isMoved({ definition }: Pick<StoredSchedule, "definition">): boolean {
  return definition.startsWith(BEGINNING);
}

/** The shard that the mark of a moved schedule names. */
export function movedTo(stored: StoredSchedule): string {
  return markIn(stored).to;
}

/**
 * What stays on a shard of a schedule that was taken off it while the shard was in no list: all of it, and its history. It
 * names the shard itself: should that come back, the schedule is wherever it is live, and nobody waits for a shard to be known.
 */
export function markOfLeft(self: string, schedule: Mark["schedule"]): NewSchedule {
  return { ...marking({ to: self, done: true, schedule }), nextAt: null, paused: true };
}

/** The schedule that such a mark holds; null for any other. */
export function heldByMarkOfLeft(self: string, stored: StoredSchedule): Mark["schedule"] | null {
  const mark = isMoved(stored) ? markIn(stored) : null;
  return mark?.to === self ? mark.schedule : null;
}

/** A schedule with what it last did, wherever it was then. */
export function merged(live: StoredSchedule, copies: readonly Copy[]): StoredSchedule {
  let latest = live;
  for (const { shard, stored } of copies) {
    if (!isMoved(stored) || stored.lastAt === null || stored.lastAt <= (latest.lastAt ?? -Infinity)) continue;
    const lastJob = stored.lastJob === null ? latest.lastJob : joinId(shard.name, stored.lastJob);
    latest = { ...latest, lastAt: stored.lastAt, lastJob };
  }
  return latest;
}

export class Moving {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Moves a schedule, changed as given; null when somebody else changed it meanwhile. */
  async move({ shard, stored }: Copy, to: Shard, schedule: NewSchedule): Promise<StoredSchedule | null> {
    const { id, group, source, job, definition, nextAt, paused } = schedule;
    const mark: Mark = { to: to.name, done: false, schedule: { id, group, source, job, definition, nextAt, paused } };
    const [marked] = await shard.run((store) => store.saveSchedules([marking(mark)], [stored.revision]));
    if (!marked) return null;
    this.#cluster.logger.info({ schedule: id, from: shard.name, to: to.name }, "a schedule moves to another shard");
    return (await this.complete({ shard, stored: marked }))?.stored ?? null;
  }

  /** Finishes a move that was begun; null when it was finished before, or cannot be now. */
  async complete({ shard, stored }: Copy): Promise<Copy | null> {
    const mark = markIn(stored);
    const to = this.#cluster.byName(mark.to);
    // To a shard that only processes with a newer list know: theirs to finish.
    if (mark.done || to === undefined) return null;
    try {
      const created = await to.run(async (store) => {
        const [there] = await store.getSchedules([stored.id]);
        if (there !== undefined && !isMoved(there)) return there;
        const [written] = await store.saveSchedules([mark.schedule], [there?.revision ?? 0]);
        return written ?? (await store.getSchedules([stored.id]))[0] ?? null;
      });
      const done = { ...marking({ ...mark, done: true }), nextAt: null, paused: true };
      await shard.run((store) => store.saveSchedules([done], [stored.revision]));
      return created === null || isMoved(created) ? null : { shard: to, stored: created };
    } catch (error) {
      if (!isPassing(error)) throw error;
      const message = `Schedule ${stored.id} could not be moved to shard ${to.name} yet: ${messageOf(error)}`;
      this.#cluster.logger.warn({ err: error, schedule: stored.id }, message);
      return null;
    }
  }

  /** Moves all schedules off a shard that is to be taken out. */
  async evacuate(shard: Shard): Promise<void> {
    let cursor: string | null | undefined;
    do {
      const request = { limit: SLICE, ...(cursor ? { cursor } : {}) };
      const page = await shard.run((store) => store.listSchedules(request));
      for (const stored of page.items) {
        if (isMoved(stored)) await this.complete({ shard, stored });
        else await this.move({ shard, stored }, await this.#homeOf(shard, stored), stored);
      }
      cursor = page.next;
    } while (cursor !== null);
  }

  /** Beside the queue of its last job; a schedule that made none yet goes by its own id until it is saved again. */
  async #homeOf(shard: Shard, { id, lastJob }: StoredSchedule): Promise<Shard> {
    const job = lastJob === null ? null : await shard.run((store) => store.getJob(lastJob));
    return this.#cluster.homeOf(job?.queue ?? `schedule ${id}`);
  }
}

function marking(mark: Mark): NewSchedule {
  const { id, group, source, job, nextAt, paused } = mark.schedule;
  const definition = JSON.stringify({ "nightshift:moved": mark });
  return { id, group, source, job, definition, nextAt: paused ? null : nextAt, paused: false };
}

function markIn({ definition }: StoredSchedule): Mark {
  return (JSON.parse(definition) as { "nightshift:moved": Mark })["nightshift:moved"];
}
