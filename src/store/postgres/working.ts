/** The worker's side: instances, claims under leases, settlements. */
import type {
  ClaimRequest,
  EnqueuedAndClaimed,
  Heartbeat,
  InstanceId,
  JobId,
  Lease,
  LeaseId,
  NewInstance,
  NewJob,
  Settled,
  Settlement,
} from "../contract.ts";
import { MOST_BYTES } from "../shared/claiming.ts";
import { areAlike } from "../shared/direct.ts";
import { mergeWants } from "../shared/settling.ts";
import { numberElements, numbers, texts } from "./arrays.ts";
import { Comparing } from "./comparing.ts";
import type { Repeat } from "./database.ts";
import type { Row } from "./driver.ts";
import { here } from "./elsewhere.ts";
import { type Enqueueing, knows } from "./enqueueing.ts";
import { Held, type HeldLease, laneOf } from "./held.ts";
import { jobId, parseJobId } from "./job-id.ts";
import { readLease } from "./leases.ts";
import { forgetNames, meet, onServer } from "./meeting.ts";
import type { Names } from "./names.ts";
import { MOST_FINISHED, merge, type News } from "./notifier.ts";
import { encodeSettlements, LEASE_SHAPE, NOTHING } from "./outcomes.ts";
import type { Value } from "./question.ts";
import { databaseTime, run, runAhead, type Session, sawTime, tell } from "./session.ts";
import { straightIntoLease, straightStatements } from "./straight.ts";

const INSTANCE_SHAPE = /^\d{1,10}$/;

interface Wanted {
  readonly key: string;
  /** How many queues: each gets a lease. */
  readonly queues: number;
  readonly limit: number;
  readonly values: readonly Value[];
  /** Of which the values are. */
  readonly names: Names;
}

/** What the worker's statement answers. */
interface Answer {
  readonly refused: readonly LeaseId[];
  readonly leases: readonly Lease[];
}

export class Working {
  readonly #session: Session;
  readonly #straight: ReturnType<typeof straightStatements>;
  readonly #held = new Held();
  readonly #comparing: Comparing;

  constructor(session: Session) {
    this.#session = session;
    this.#straight = straightStatements(session.s);
    this.#comparing = new Comparing(session, this.#held, (rows) => this.#tellHandedBack(rows));
  }

  async register(instance: NewInstance, ttl: number): Promise<InstanceId> {
    const { s } = this.#session;
    const { name, host, pid, version, queues, names, concurrency } = instance;
    const text = `with made as (
        insert into ${s}.instance (expires_at, started_at, pid, concurrency, name, host, version, queues, names)
        select t + $1::bigint, t, $2, $3, $4, $5, $6, $7::text[], $8::text[] from ${s}.now_ms() as t where ${here(9)} returning id, name, started_at
      ), named as (insert into ${s}.instance_name (id, name, registered_at) select * from made)
      select id from made`;
    const values = [Math.ceil(ttl), pid, concurrency, name, host, version, texts(queues), texts(names)];
    return onServer(this.#session, async (names) => {
      const [row] = await run(this.#session, "register", text, [...values, names.server], "if-refused");
      const id = row?.[0] ?? null;
      if (id !== null) this.#comparing.registered(id, names);
      return id;
    });
  }

  async heartbeat(instance: InstanceId, ttl: number): Promise<Heartbeat> {
    if (!INSTANCE_SHAPE.test(instance)) return { alive: false };
    const { s } = this.#session;
    // The clock is read where the row is judged: after any wait for its lock.
    const text = `with beat as (
        update ${s}.instance set expires_at = ${s}.now_ms() + $2::bigint where id = $1 and expires_at > ${s}.now_ms() returning id
      )
      select c.bucket, c.job_id, c.reason, ${here(3)}, p.stand_before, p.stand_in_all from beat b
      cross join (
        select count(*) filter (where i.id < $1) as stand_before, count(*) as stand_in_all
        from ${s}.instance i join ${s}.instance me on me.id = $1 and me.queues = i.queues and me.names = i.names
        where i.expires_at > ${s}.now_ms()
      ) p
      left join ${s}.cancel_request c
        on exists (select from ${s}.lease l where l.instance_id = $1 and l.ids @> array[c.job_id])`;
    const { server } = this.#session.names;
    const rows = await runAhead(this.#session, "heartbeat", text, [instance, Math.ceil(ttl), server]);
    const [first] = rows;
    if (first === undefined) {
      this.#forget(instance);
      forgetNames(this.#session);
      return { alive: false };
    }
    this.#session.line.stand(instance, { before: Number(first[4]), of: Number(first[5]) });
    const lost = await this.#lostOf(instance, first[3] === "t");
    const cancelled = rows.flatMap(([bucket, id, reason]) =>
      bucket && id ? [{ job: jobId(bucket, id), reason: reason ?? "" }] : [],
    );
    return { alive: true, cancelled, ...(lost.length > 0 ? { lost } : {}) };
  }

  /** A worker whose slots are all full claims nothing: it hears of another server, and of what is gone there, by its heartbeats. */
  async #lostOf(instance: InstanceId, isHere: boolean): Promise<readonly LeaseId[]> {
    try {
      if (!isHere) await meet(this.#session);
      await this.#comparing.with(instance, this.#session.names);
    } catch (err) {
      this.#session.logger.debug({ err, instance }, "leases could not be compared now; the next heartbeat tries again");
    }
    return this.#comparing.takeLost(instance);
  }

  async deregister(instance: InstanceId): Promise<void> {
    if (!INSTANCE_SHAPE.test(instance)) return;
    const { s } = this.#session;
    const text = `with gone as (delete from ${s}.instance where id = $1) select * from ${s}.hand_back($1, '{}')`;
    this.#tellHandedBack(await run(this.#session, "deregister", text, [instance]));
    this.#forget(instance);
  }

  #forget(instance: InstanceId): void {
    this.#held.forget(instance);
    this.#comparing.forget(instance);
    this.#session.line.leave(instance);
  }

  async reconcile(instance: InstanceId, held: readonly LeaseId[]): Promise<void> {
    if (!INSTANCE_SHAPE.test(instance)) return;
    const text = `select * from ${this.#session.s}.hand_back($1, $2::bigint[])`;
    const known = numbers(held.filter((lease) => LEASE_SHAPE.test(lease)));
    this.#tellHandedBack(await run(this.#session, "hand_back", text, [instance, known]));
    this.#held.keepOnly(instance, held);
  }

  async claim(instance: InstanceId, request: ClaimRequest): Promise<readonly Lease[]> {
    if (!INSTANCE_SHAPE.test(instance)) return [];
    const { leases } = await this.#claim(instance, NOTHING, request);
    return leases;
  }

  async settle(instance: InstanceId, settlements: readonly Settlement[]): Promise<Settled> {
    if (!INSTANCE_SHAPE.test(instance)) return { refused: settlements.map(({ lease }) => lease) };
    const encoded = encodeSettlements(settlements, (lease) => this.#held.get(instance, lease));
    if (encoded.values === NOTHING) return { refused: encoded.refused };
    const values = [instance, ...encoded.values, null, null, null, null, null, null, 0, null];
    const { refused } = await this.#read(instance, await this.#run("work", workText, values, "always"));
    const all = [...encoded.refused, ...refused];
    this.#settled(instance, settlements, all);
    return { refused: all };
  }

  async settleAndClaim(
    instance: InstanceId,
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<Settled & { readonly leases: readonly Lease[] }> {
    if (mergeWants(request.wants).size === 0 || !INSTANCE_SHAPE.test(instance))
      return { ...(await this.settle(instance, settlements)), leases: [] };
    const encoded = encodeSettlements(settlements, (lease) => this.#held.get(instance, lease));
    const answer = await this.#claim(instance, encoded.values, request);
    const refused = [...encoded.refused, ...answer.refused];
    this.#settled(instance, settlements, refused);
    return { refused, leases: answer.leases };
  }

  /** Jobs in one statement with the claim; the wake-ups are for those that were not claimed. */
  async enqueueAndClaim(
    enqueueing: Enqueueing,
    jobs: readonly NewJob[],
    instance: InstanceId,
    request: ClaimRequest,
  ): Promise<EnqueuedAndClaimed> {
    return onServer(this.#session, async (names) => {
      // An instance that has yet to compare its leases does so by a claim: what is enqueued must not wait for that.
      const mayClaim = INSTANCE_SHAPE.test(instance) && this.#comparing.isDone(instance, names);
      mergeWants(request.wants); // refuses what are none
      if (mayClaim && areAlike(jobs, request)) {
        if (!knows(jobs, names)) await enqueueing.learn(jobs, names);
        const straight = await straightIntoLease(this.#session, this.#straight, names, jobs, instance);
        if (straight !== null) {
          this.#held.add(instance, straight.lease, straight.held);
          return straight.answer;
        }
      }
      const wanted = mayClaim ? await this.#wanted(request, names) : null;
      if (wanted === null) return { ids: await enqueueing.enqueue(jobs, {}), leases: [] };
      await enqueueing.learn(jobs, names);
      return this.#storeAndClaim(enqueueing, jobs, instance, wanted);
    });
  }

  async #storeAndClaim(
    enqueueing: Enqueueing,
    jobs: readonly NewJob[],
    instance: InstanceId,
    wanted: Wanted,
  ): Promise<EnqueuedAndClaimed | null> {
    const { floors, leaseIds, clock, s } = this.#session;
    const { names } = wanted;
    const text = `select * from ${s}.enqueue_and_work($1::int[], $2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9, $10::bigint, $11::int[], $12::int[], $13::int[], $14::int[], $15::bigint[], $16, $17::timestamptz)`;
    const entered = floors.entries();
    const sweep = floors.sweepFor(wanted.key, clock.monotonic()) === 2 ? 1 : 0;
    const claiming = [
      instance,
      leaseIds.take(instance, wanted.queues),
      ...wanted.values,
      numbers(entered.lanes),
      numbers(entered.floors),
      sweep,
    ];
    const values = [...enqueueing.encode(jobs, names).slice(0, -1), ...claiming, names.server];
    const [stored, ...rows] = await run(this.#session, "enqueue_and_work", text, values, "if-refused");
    if (stored === undefined) return null;
    const row = [numberElements(stored[3] ?? null)[0] ?? "", stored[2] ?? null, stored[9] ?? null];
    const { ids, news } = enqueueing.decode(jobs, row, names);
    const { leases } = await this.#read(instance, rows);
    const claimed = new Set(leases.flatMap((lease) => lease.jobs.map(({ id }) => id)));
    if (!ids.every((id) => claimed.has(id))) tell(this.#session, news);
    return { ids, leases };
  }

  async #wanted(request: ClaimRequest, names: Names): Promise<Wanted | null> {
    const merged = mergeWants(request.wants);
    if (merged.size === 0) return null;
    const queues = [...merged.keys()];
    // Nobody waits for what is known: it is on the way of a lone job, and a wait for nothing costs it more than the rest.
    if (!queues.every((queue) => names.hasQueue(queue))) await names.learnQueues(queues);
    const kinds = names.keptKindList(request.names) ?? (await names.kindList(request.names));
    return {
      key: queues.join("\0"),
      queues: queues.length,
      limit: [...merged.values()].reduce((sum, limit) => sum + limit, 0),
      values: [numbers(queues.map((queue) => names.queue(queue))), numbers([...merged.values()]), kinds],
      names,
    };
  }

  /** Not repeated after a lost answer: settling twice is harmless, claiming twice is not. */
  #claim(instance: InstanceId, settling: readonly Value[], request: ClaimRequest): Promise<Answer> {
    this.#session.line.asked(request.wants);
    return onServer(this.#session, async (names) => {
      await this.#comparing.with(instance, names);
      const wanted = await this.#wanted(request, names);
      return wanted === null ? { refused: [], leases: [] } : this.#work(instance, settling, wanted);
    });
  }

  #run(name: string, text: (s: string) => string, values: readonly Value[], repeat: Repeat) {
    return run(this.#session, name, text(this.#session.s), values, repeat);
  }

  /** Null on another server than that of the names. */
  async #work(instance: InstanceId, settling: readonly Value[], wanted: Wanted): Promise<Answer | null> {
    const { floors, leaseIds, clock } = this.#session;
    const entered = floors.entries();
    const started = clock.monotonic();
    const sweep = floors.sweepFor(wanted.key, started);
    const first = leaseIds.take(instance, wanted.queues);
    const { server } = wanted.names;
    const bounds = [numbers(entered.lanes), numbers(entered.floors), sweep];
    const whole = [instance, ...settling, first, ...wanted.values, ...bounds, server];
    const rows =
      settling !== NOTHING
        ? await this.#run("work", workText, whole, "if-refused")
        : sweep === 2 && wanted.queues === 1
          ? await this.#run("claim", claimText, [instance, first, ...wanted.values, server], "if-refused")
          : await this.#run("claim_many", claimManyText, whole, "if-refused");
    if (rows[0]?.[0] === null) return null;
    const answer = await this.#read(instance, rows);
    const claimed = answer.leases.reduce((sum, { jobs }) => sum + jobs.length, 0);
    // A batch may be short because it is heavy: then nobody looked below.
    const isShort = claimed < wanted.limit && !answer.leases.some(isHeavy);
    floors.claimed(wanted.key, isShort);
    if (sweep === 2 || (sweep === 1 && isShort)) {
      floors.swept(wanted.key, clock.monotonic(), clock.monotonic() - started);
    }
    return answer;
  }

  /** The statement's rows: refusals and leases. */
  async #read(instance: InstanceId, rows: readonly Row[]): Promise<Answer> {
    const refused: string[] = [];
    const leases: Lease[] = [];
    for (const row of rows) {
      if (row[1] === null) refused.push(row[0] ?? "");
      else {
        const { lease, held } = await readLease(this.#session, row);
        this.#held.add(instance, lease.id, held);
        sawTime(this.#session, lease.claimedAt);
        leases.push(lease);
      }
    }
    return { refused, leases };
  }

  /** Tells who listens, and forgets what is settled. */
  #settled(instance: InstanceId, settlements: readonly Settlement[], refused: readonly string[]): void {
    let news: News = {};
    const { listeners, logger } = this.#session;
    // All of them here; elsewhere as many as fit, since a wake-up is a hint and a full drain ends thousands a second.
    const most = listeners.any ? Number.POSITIVE_INFINITY : MOST_FINISHED;
    const finished: JobId[] = [];
    let scheduled = Number.POSITIVE_INFINITY;
    for (const { lease, outcomes } of settlements) {
      if (refused.includes(lease)) {
        this.#held.drop(instance, lease);
        continue;
      }
      const held = this.#held.get(instance, lease);
      if (held !== undefined && (held.open -= outcomes.length) <= 0) this.#held.drop(instance, lease);
      for (const outcome of outcomes) {
        if (outcome.type === "succeeded" || outcome.type === "dead" || outcome.type === "cancelled") {
          if (finished.length < most) finished.push(outcome.job);
        } else if (outcome.type === "released" || outcome.in <= 0) news = merge(news, readyAgain(held, outcome.job));
        else scheduled = Math.min(scheduled, outcome.in);
      }
    }
    if (Number.isFinite(scheduled)) news = { ...news, scheduledAt: Math.ceil(databaseTime(this.#session) + scheduled) };
    if (finished.length > 0 && listeners.any) listeners.emit([{ what: "finished", jobs: finished }], logger);
    if (finished.length > 0) this.#session.notifier.say({ finished: finished.slice(0, MOST_FINISHED) });
    if (Object.keys(news).length > 0) tell(this.#session, news);
  }

  #tellHandedBack(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const finished = rows.flatMap(([bucket, id, , state]) => (state === "C" ? [jobId(bucket ?? "", id ?? "")] : []));
    // Which queues is not said: anybody may look.
    const lanes = rows.flatMap(([, id, lane, state]) => (state === "B" ? [[Number(lane), id ?? "0"] as const] : []));
    tell(this.#session, merge({ unknown: true, lanes: smallestOf(lanes) }, finished.length > 0 ? { finished } : {}));
  }
}

function workText(s: string): string {
  return `select w.* from ${s}.work($1, $2::bigint[], $3::int[], $4::bigint[], $5::"char"[], $6::int[], $7::bigint[], $8::text[], $9::bigint, $10::int[], $11::int[], $12::int[], $13::int[], $14::bigint[], $15, $16::timestamptz) w`;
}

/** A claim that settles nothing does not wait for the disk: what a crash makes of it is a claim that never was (decision 026). */
const UNHURRIED = "set_config('synchronous_commit', 'off', true)";

/** One queue, from the beginning of its lanes. */
function claimText(s: string): string {
  return `select c.* from ${s}.claim($1, $2::bigint, $3::int[], $4::int[], $5::int[], $6::timestamptz) c, ${UNHURRIED}`;
}

function claimManyText(s: string): string {
  return `${workText(s)}, ${UNHURRIED}`;
}

/** Characters are counted, and bytes bound a batch: one has four at the most. */
function isHeavy({ jobs }: Lease): boolean {
  return jobs.reduce((sum, { input }) => sum + input.length, 0) >= MOST_BYTES / 4;
}

function smallestOf(lanes: readonly (readonly [number, string])[]): readonly (readonly [number, string])[] {
  return merge({ lanes: [] }, { lanes }).lanes ?? [];
}

function readyAgain(held: HeldLease | undefined, job: JobId): News {
  const key = parseJobId(job);
  const lane = held && laneOf(held, job);
  if (held === undefined || lane === undefined || key === null) return { unknown: true };
  return { queues: [held.queue], lanes: [[lane, key.id]] };
}
