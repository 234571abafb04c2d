/**
 * What an instance holds, compared once with what each server that it meets says: one that was started again, or took
 * over, may have another past. Leases that came back, since their settlement is lost, are handed back: they would stand
 * in the instance's name as long as it lives. Leases that are gone, since their claim is lost, are told with the next
 * heartbeat: others may run their jobs already.
 */
import type { InstanceId, LeaseId } from "../contract.ts";
import { numbers } from "./arrays.ts";
import type { Row } from "./driver.ts";
import type { Held } from "./held.ts";
import { parseJobId } from "./job-id.ts";
import type { Names } from "./names.ts";
import { run, type Session } from "./session.ts";

interface Compared {
  /** When the server started that it was compared with. */
  readonly server: Names["server"];
  readonly done: Promise<void>;
  isDone: boolean;
}

export class Comparing {
  readonly #session: Session;
  readonly #held: Held;
  readonly #tellHandedBack: (rows: readonly Row[]) => void;
  readonly #compared = new Map<InstanceId, Compared>();
  readonly #lost = new Map<InstanceId, readonly LeaseId[]>();

  constructor(session: Session, held: Held, tellHandedBack: (rows: readonly Row[]) => void) {
    this.#session = session;
    this.#held = held;
    this.#tellHandedBack = tellHandedBack;
  }

  /** It was registered on this server: there is nothing to compare. */
  registered(instance: InstanceId, { server }: Names): void {
    this.#compared.set(instance, { server, done: Promise.resolve(), isDone: true });
  }

  forget(instance: InstanceId): void {
    this.#compared.delete(instance);
    this.#lost.delete(instance);
  }

  isDone(instance: InstanceId, { server }: Names): boolean {
    const compared = this.#compared.get(instance);
    return compared === undefined || (compared.server === server && compared.isDone);
  }

  /** Before anything is claimed on that server: what came back can be told from what was claimed meanwhile only then. */
  with(instance: InstanceId, names: Names): Promise<void> {
    const before = this.#compared.get(instance);
    if (before === undefined) this.registered(instance, names);
    if (before === undefined || before.server === names.server) return before?.done ?? Promise.resolve();
    const done = this.#compare(instance);
    const compared = { server: names.server, done, isDone: false };
    this.#compared.set(instance, compared);
    done.then(
      () => (compared.isDone = true),
      () => {
        // The next one tries again.
        if (this.#compared.get(instance) === compared) this.#compared.set(instance, before);
      },
    );
    return done;
  }

  /** The leases that were found gone since it was last asked. */
  takeLost(instance: InstanceId): readonly LeaseId[] {
    const lost = this.#lost.get(instance) ?? [];
    this.#lost.delete(instance);
    return lost;
  }

  async #compare(instance: InstanceId): Promise<void> {
    const { s, logger } = this.#session;
    const held = this.#held.of(instance);
    const leases = numbers(held.map(([lease]) => lease));
    const back = `select * from ${s}.hand_back($1, $2::bigint[])`;
    const rows = await run(this.#session, "hand_back", back, [instance, leases]);
    this.#tellHandedBack(rows);
    if (rows.length > 0) {
      const message = `${rows.length} jobs stood in the name of this process, which does not run them: an answer was lost, or what was settled is forgotten. They are handed back.`;
      logger.info({ instance, jobs: rows.length }, message);
    }
    // One that was settled to its end is no longer there either: its history says so.
    const gone = `select u.lease from unnest($1::bigint[], $2::bigint[]) as u (lease, job)
      where not exists (select from ${s}.lease l where l.id = u.lease)
        and not exists (select from ${s}.finished f where f.job_id = u.job and f.lease_id = u.lease and f.state <> 'L')`;
    const jobs = numbers(held.map(([, lease]) => parseJobId(lease.jobs[0] ?? "")?.id ?? "0"));
    const missing = held.length === 0 ? [] : await run(this.#session, "gone_leases", gone, [leases, jobs]);
    const lost = missing.flatMap(([lease]) => (lease && this.#held.get(instance, lease) ? [lease] : []));
    for (const lease of lost) this.#held.drop(instance, lease);
    if (lost.length > 0) this.#lost.set(instance, [...this.takeLost(instance), ...lost]);
  }
}
