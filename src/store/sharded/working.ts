/**
 * Claiming and settling over shards: each turn goes to the shards that have the wanted queues or the settled leases, to
 * all of them at once. One that does not answer in time is left behind: its claim brings what it brings to a later turn.
 */
import type {
  ClaimRequest,
  EnqueuedAndClaimed,
  InstanceId,
  Lease,
  LeaseId,
  NewJob,
  Outcome,
  Settled,
  Settlement,
  Want,
} from "../contract.ts";
import { mergeWants } from "../shared/settling.ts";
import { Answered } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import type { Enqueueing } from "./enqueueing.ts";
import { joinId, splitId } from "./ids.ts";
import type { Member, Part } from "./member.ts";
import type { Membership } from "./membership.ts";
import { isPassing, type Shard } from "./shard.ts";

/** How long a shard may keep a turn waiting that others have answered, in milliseconds. */
const PATIENCE = 250;

type Exchanged = Settled & { readonly leases: readonly Lease[] };

/** One shard's share of a turn. Ids are the shard's own. */
interface Share {
  readonly shard: Shard;
  readonly part: Part;
  readonly settlements: Settlement[];
  readonly wants: Want[];
  outcome: { readonly answer: Exchanged } | { readonly error: unknown } | null;
  /** Nobody waits for it any more. */
  left: boolean;
}

/** A lease on its way to the caller. */
interface Brought {
  readonly shard: string;
  readonly part: Part;
  readonly lease: Lease;
}

interface Result {
  readonly refused: LeaseId[];
  readonly unsettled: LeaseId[];
  readonly brought: Brought[];
  /** A shard refused what it was given, as it would do again. */
  refusal?: unknown;
}

export class Working {
  readonly #cluster: Cluster;
  readonly #membership: Membership;
  /** Where a queue has two places, they take turns. */
  #turn = 0;

  constructor(cluster: Cluster, membership: Membership) {
    this.#cluster = cluster;
    this.#membership = membership;
  }

  async exchange(id: InstanceId, settlements: readonly Settlement[], request: ClaimRequest | null): Promise<Exchanged> {
    const member = this.#membership.member(id);
    const wanted = new Map(request === null ? [] : mergeWants(request.wants));
    const order = [...wanted.keys()];
    const result: Result = { refused: [], unsettled: [], brought: this.#takeLate(member, wanted) };
    const shares = this.#share(member, settlements, result);
    const tried = new Set<string>();
    if (wanted.size > 0) this.#turn++;
    for (let round = 0; round === 0 || wanted.size > 0; round++) {
      this.#shareWants(member, wanted, tried, shares);
      if (shares.size === 0) break;
      await this.#go([...shares.values()], request?.names ?? new Set());
      for (const share of shares.values()) this.#conclude(share, wanted, result);
      if ("refusal" in result) {
        // What the others brought must not be forgotten: it is handed out with the next turn.
        for (const { part, lease } of result.brought) part.late.push(lease);
        throw result.refusal;
      }
      shares.clear();
    }
    const { refused, unsettled, brought } = result;
    if (brought.length + refused.length === 0 && !this.#cluster.anyThere) throw this.#cluster.shards[0]?.awayError();
    const leases = brought.map(({ shard, lease }) => outside(shard, lease));
    leases.sort((a, b) => order.indexOf(a.queue) - order.indexOf(b.queue));
    return { refused, leases, ...(unsettled.length > 0 ? { unsettled } : {}) };
  }

  /**
   * Stores jobs and claims. One commit, as it mostly is, when the wanted queues live where the jobs do and nowhere else;
   * otherwise the one after the other.
   */
  async enqueueAndClaim(
    enqueueing: Enqueueing,
    jobs: readonly NewJob[],
    id: InstanceId,
    request: ClaimRequest,
  ): Promise<EnqueuedAndClaimed> {
    const [first] = jobs;
    const shard = first && enqueueing.placeOf(jobs, first.queue);
    const wanted = mergeWants(request.wants);
    const member = this.#membership.member(id);
    const part = shard && member.parts.get(shard.name);
    const { routing, strays } = this.#cluster;
    const here = [...wanted.keys()].every(
      (queue) => routing.home(queue) === shard?.name && strays.of(queue).length === 0,
    );
    const free = part !== undefined && !part.unsure && part.late.length === 0 && here;
    if (shard === undefined || !free || part.instance === null || !this.#canClaim(member, shard.name)) {
      const ids = await enqueueing.enqueue(jobs, {});
      // They are stored whatever becomes of the claim: it is tried again soon.
      const claimed = await this.exchange(id, [], request).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
        return { leases: [] };
      });
      return { ids, leases: claimed.leases };
    }
    const { instance } = part;
    part.claims++;
    try {
      const { ids, leases } = await shard.run((store) => store.enqueueAndClaim(jobs, instance, request));
      for (const lease of leases) part.held.set(lease.id, lease.jobs.length);
      return {
        ids: ids.map((job) => joinId(shard.name, job)),
        leases: leases.map((lease) => outside(shard.name, lease)),
      };
    } catch (error) {
      part.unsure = true;
      throw error;
    } finally {
      part.claims--;
    }
  }

  /** What came too late for the turn that asked for it. */
  #takeLate(member: Member, wanted: Map<string, number>): Brought[] {
    const taken: Brought[] = [];
    for (const [shard, part] of member.parts) {
      if (part.late.length === 0) continue;
      const kept: Lease[] = [];
      for (const lease of part.late) {
        if (wanted.delete(lease.queue)) taken.push({ shard, part, lease });
        else kept.push(lease);
      }
      part.late = kept;
    }
    return taken;
  }

  #share(member: Member, settlements: readonly Settlement[], { refused, unsettled }: Result): Map<string, Share> {
    const shares = new Map<string, Share>();
    for (const { lease, outcomes } of settlements) {
      const key = splitId(lease);
      const shard = key && this.#cluster.byName(key.shard);
      const part = key ? member.parts.get(key.shard) : undefined;
      if (!key || !shard || part === undefined || part.instance === null) refused.push(lease);
      else if (shard.isAway) unsettled.push(lease);
      else shareOf(shares, shard, part).settlements.push({ lease: key.id, outcomes: outcomes.map(inside) });
    }
    return shares;
  }

  /** Each queue's next place to ask; a queue that has no more places is done with. */
  #shareWants(member: Member, wanted: Map<string, number>, tried: Set<string>, shares: Map<string, Share>): void {
    for (const [queue, limit] of wanted) {
      const strays = this.#cluster.strays.of(queue);
      const home = this.#cluster.routing.home(queue);
      const places = strays.length === 0 ? [home] : rotated([...strays, home], this.#turn);
      const name = places.find((place) => !tried.has(`${place}\n${queue}`) && this.#canClaim(member, place));
      const shard = name === undefined ? undefined : this.#cluster.byName(name);
      const part = name === undefined ? undefined : member.parts.get(name);
      if (shard === undefined || part === undefined) wanted.delete(queue);
      else {
        tried.add(`${shard.name}\n${queue}`);
        shareOf(shares, shard, part).wants.push({ queue, limit });
      }
    }
  }

  #canClaim(member: Member, name: string): boolean {
    const part = member.parts.get(name);
    const shard = this.#cluster.byName(name);
    return (
      part !== undefined &&
      part.instance !== null &&
      part.behind === 0 &&
      !(part.unsure && part.claims > 0) &&
      shard !== undefined &&
      !shard.isAway
    );
  }

  async #go(shares: readonly Share[], names: ReadonlySet<string>): Promise<void> {
    const answered = new Answered();
    const waits = shares.map((share) => share.shard.unlessAway(this.#call(share, names, answered)));
    await answered.wait(waits, this.#cluster.clock, PATIENCE);
  }

  /** Never rejects. */
  async #call(share: Share, names: ReadonlySet<string>, answered: Answered): Promise<void> {
    const { shard, part, settlements, wants } = share;
    const claims = wants.length > 0;
    const instance = part.instance ?? "";
    if (claims) part.claims++;
    try {
      const answer = await shard.run(async (store): Promise<Exchanged> => {
        if (claims && part.unsure) {
          await store.reconcile(instance, [...part.held.keys()]);
          part.unsure = false;
        }
        if (!claims) return { ...(await store.settle(instance, settlements)), leases: [] };
        if (settlements.length === 0) return { refused: [], leases: await store.claim(instance, { wants, names }) };
        return store.settleAndClaim(instance, settlements, { wants, names });
      });
      if (part.instance !== instance) share.outcome = { answer: { ...answer, leases: [] } };
      else {
        for (const lease of answer.leases) part.held.set(lease.id, lease.jobs.length);
        share.outcome = { answer };
        if (share.left) this.#keepLate(part, answer.leases);
      }
      answered.tell();
    } catch (error) {
      if (claims) part.unsure = true;
      share.outcome = { error };
    } finally {
      if (claims) part.claims--;
      if (claims && share.left) part.behind--;
    }
  }

  #keepLate(part: Part, leases: readonly Lease[]): void {
    if (leases.length === 0) return;
    part.late.push(...leases);
    this.#cluster.tell({ what: "work", queues: leases.map(({ queue }) => queue) });
  }

  #conclude(share: Share, wanted: Map<string, number>, result: Result): void {
    const { shard, part, settlements, wants, outcome } = share;
    if (outcome !== null && "answer" in outcome) {
      const { answer } = outcome;
      for (const { lease, outcomes } of settlements) {
        const open = (part.held.get(lease) ?? 0) - outcomes.length;
        if (open > 0 && !answer.refused.includes(lease)) part.held.set(lease, open);
        else part.held.delete(lease);
      }
      result.refused.push(...answer.refused.map((lease) => joinId(shard.name, lease)));
      for (const lease of answer.leases) {
        result.brought.push({ shard: shard.name, part, lease });
        wanted.delete(lease.queue);
      }
      for (const { queue } of wants) if (wanted.has(queue)) this.#cluster.strays.dry(shard.name, queue);
      return;
    }
    share.left = true;
    for (const { queue } of wants) wanted.delete(queue);
    result.unsettled.push(...settlements.map(({ lease }) => joinId(shard.name, lease)));
    if (outcome === null) {
      if (wants.length > 0) part.behind++;
      return;
    }
    if (!isPassing(outcome.error)) result.refusal = outcome.error;
    else if (!shard.isAway) {
      const { logger } = this.#cluster;
      logger.error(
        { err: outcome.error, shard: shard.name },
        `Shard ${shard.name} did not take a turn of the worker's.`,
      );
    }
  }
}

function shareOf(shares: Map<string, Share>, shard: Shard, part: Part): Share {
  let share = shares.get(shard.name);
  if (share === undefined) {
    share = { shard, part, settlements: [], wants: [], outcome: null, left: false };
    shares.set(shard.name, share);
  }
  return share;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function outside(shard: string, lease: Lease): Lease {
  const jobs = lease.jobs.map((job) => ({ ...job, id: joinId(shard, job.id) }));
  return { ...lease, id: joinId(shard, lease.id), jobs };
}

/** An outcome with the shard's own id; a made-up one stays as it is, and is nobody's. */
function inside(outcome: Outcome): Outcome {
  return { ...outcome, job: splitId(outcome.job)?.id ?? outcome.job };
}
