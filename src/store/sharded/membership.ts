/** Being registered on every shard: alive as long as any shard says so, with the leases of the others given up. */
import { randomBytes } from "node:crypto";
import type { CancelRequest, Heartbeat, InstanceId, LeaseId, NewInstance, StoredInstance } from "../contract.ts";
import { type Answer, valuesOf } from "./asking.ts";
import type { Cluster } from "./cluster.ts";
import { joinId, joinInstance, markVersion, splitId, unmarkVersion } from "./ids.ts";
import { type Member, Part, stranger } from "./member.ts";
import type { Shard } from "./shard.ts";

/** What became of one part: it beat, it was found dead, or it was registered (anew). */
type Beat =
  | { readonly alive: boolean; readonly cancelled: readonly CancelRequest[]; readonly lost: readonly LeaseId[] }
  | "registered";

export class Membership {
  readonly #cluster: Cluster;
  readonly #members = new Map<InstanceId, Member>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** An instance; of one that is not known here, what its id says. */
  member(id: InstanceId): Member {
    return this.#members.get(id) ?? stranger(id);
  }

  async register(instance: NewInstance, ttl: number): Promise<InstanceId> {
    const { clock, shards } = this.#cluster;
    const body = { ...instance, version: markVersion(instance.version, randomBytes(6).toString("hex")) };
    const sentAt = clock.monotonic();
    const parts = new Map(shards.map(({ name }) => [name, new Part(null, sentAt)]));
    const late = (shard: Shard, id: InstanceId) => this.#registeredLate(shard, parts.get(shard.name), id);
    const answers = valuesOf(await this.#cluster.ask((store) => store.register(body, ttl), late));
    for (const { shard, value } of answers) {
      const part = parts.get(shard.name);
      if (part !== undefined) part.instance = value;
    }
    const id = joinInstance(answers.map(({ shard, value }) => [shard.name, value] as const));
    this.#members.set(id, { id, body, parts });
    return id;
  }

  async heartbeat(id: InstanceId, ttl: number): Promise<Heartbeat> {
    const member = this.#members.get(id);
    if (member === undefined) return this.#strangersHeartbeat(id, ttl);
    const answers = await this.#cluster.ask(async (_store, shard) => this.#beat(member, shard, ttl));
    const values = valuesOf(answers);
    const isDead = ({ value }: { readonly value: Beat }) => value !== "registered" && !value.alive;
    const mayLiveOn = answers.some(({ shard, ok }) => !ok && member.parts.get(shard.name)?.instance !== null);
    if (values.every(isDead) && !mayLiveOn) {
      this.#forget(member);
      return { alive: false };
    }
    const dead = values.filter(isDead).map(({ shard }) => shard);
    const forgotten = values.flatMap(({ value }) => (value === "registered" ? [] : value.lost));
    const lost = [...forgotten, ...this.#loseDead(member, dead), ...this.#loseExpired(member, answers, ttl)];
    // Registered there anew at the next beat, which is asked for at once.
    if (dead.length > 0) this.#cluster.tell({ what: "cancellation" });
    if (values.some(({ value }) => value === "registered")) this.#cluster.tell({ what: "unknown" });
    return { alive: true, cancelled: cancelledOf(values), ...(lost.length > 0 ? { lost } : {}) };
  }

  async deregister(id: InstanceId): Promise<void> {
    const member = this.member(id);
    this.#forget(member);
    const answers = await this.#cluster.ask(async (store, shard) => {
      const part = member.parts.get(shard.name);
      if (part === undefined) return;
      if (part.doubtful !== null) await store.deregister(part.doubtful);
      if (part.instance !== null) await store.deregister(part.instance);
    });
    valuesOf(answers);
    for (const answer of answers) {
      if (answer.ok || !hasPart(member, answer.shard)) continue;
      const message = `Could not sign off from shard ${answer.shard.name}: what is still held there is rescued when its lease ends.`;
      this.#cluster.logger.warn({ err: answer.error, shard: answer.shard.name }, message);
    }
  }

  async reconcile(id: InstanceId, held: readonly LeaseId[]): Promise<void> {
    const member = this.member(id);
    const leases = held.flatMap((lease) => splitId(lease) ?? []);
    valuesOf(
      await this.#cluster.ask(async (store, shard) => {
        const part = member.parts.get(shard.name);
        if (part === undefined || part.instance === null) return;
        const known = leases.flatMap(({ shard: name, id }) => (name === shard.name ? [id] : []));
        for (const lease of part.held.keys()) if (!known.includes(lease)) part.held.delete(lease);
        part.late = [];
        // Until it is done; and a claim under way would be taken for one that is lost.
        part.unsure = true;
        if (part.claims > 0) return;
        await store.reconcile(part.instance, known);
        part.unsure = false;
      }),
    );
  }

  /** One entry per process, in the order in which they registered. */
  async list(): Promise<readonly StoredInstance[]> {
    const merged = new Map<string, { parts: [string, InstanceId][]; instance: StoredInstance }>();
    for (const { shard, value } of valuesOf(await this.#cluster.look("instances", (store) => store.listInstances()))) {
      for (const one of value) {
        const { version, mark } = unmarkVersion(one.version);
        const key = mark ?? joinId(shard.name, one.id);
        const known = merged.get(key);
        const parts: [string, InstanceId][] = [...(known?.parts ?? []), [shard.name, one.id]];
        const { startedAt, expiresAt, running } = known?.instance ?? { ...one, running: 0 };
        const instance = {
          ...{ ...one, version, id: joinInstance(parts), running: running + one.running },
          startedAt: Math.min(startedAt, one.startedAt),
          expiresAt: Math.min(expiresAt, one.expiresAt),
        };
        merged.set(key, { parts, instance });
      }
    }
    return Array.from(merged.values(), ({ instance }) => instance);
  }

  close(): void {
    for (const member of this.#members.values()) this.#forget(member);
  }

  async #beat(member: Member, shard: Shard, ttl: number): Promise<Beat> {
    const part = member.parts.get(shard.name);
    if (part === undefined || member.body === null) return "registered";
    const { store } = shard;
    const sentAt = this.#cluster.clock.monotonic();
    if (part.doubtful !== null) {
      await store.deregister(part.doubtful);
      part.doubtful = null;
    }
    if (part.instance === null) {
      const id = await store.register(member.body, ttl);
      if (part.instance === null && this.#members.has(member.id)) [part.instance, part.beatAt] = [id, sentAt];
      else await store.deregister(id);
      return "registered";
    }
    const { instance } = part;
    const answer = await store.heartbeat(instance, ttl);
    if (part.instance !== instance) return "registered";
    if (!answer.alive) return { alive: false, cancelled: [], lost: [] };
    part.beatAt = Math.max(part.beatAt, sentAt);
    part.expiry?.cancel();
    part.expiry = undefined;
    const { cancelled, lost = [] } = answer;
    for (const lease of lost) part.held.delete(lease);
    return {
      alive: true,
      cancelled: cancelled.map(({ job, reason }) => ({ job: joinId(shard.name, job), reason })),
      lost: lost.map((lease) => joinId(shard.name, lease)),
    };
  }

  #loseDead(member: Member, dead: readonly Shard[]): readonly LeaseId[] {
    return dead.flatMap(
      ({ name }) =>
        member.parts
          .get(name)
          ?.lose()
          .map((lease) => joinId(name, lease)) ?? [],
    );
  }

  /** On shards that have not heard of us for as long as we live there, others may run our jobs. */
  #loseExpired(member: Member, answers: readonly Answer<Beat>[], ttl: number): readonly LeaseId[] {
    const { clock } = this.#cluster;
    return answers.flatMap(({ shard, ok }) => {
      const part = member.parts.get(shard.name);
      if (ok || part === undefined || part.instance === null) return [];
      const left = part.beatAt + ttl - clock.monotonic();
      if (left > 0) {
        part.expiry?.cancel();
        part.expiry = clock.setTimer(left, () => this.#cluster.tell({ what: "cancellation" }), { ref: false });
        return [];
      }
      part.doubtful = part.instance;
      return part.lose().map((lease) => joinId(shard.name, lease));
    });
  }

  async #strangersHeartbeat(id: InstanceId, ttl: number): Promise<Heartbeat> {
    const { parts } = stranger(id);
    const answers = await this.#cluster.ask(async (store, { name }) => {
      const instance = parts.get(name)?.instance;
      return instance ? { name, beat: await store.heartbeat(instance, ttl) } : null;
    });
    const beats = valuesOf(answers).flatMap(({ value }) => value ?? []);
    if (beats.length === 0 || !beats.every(({ beat }) => beat.alive)) return { alive: false };
    const cancelled = beats.flatMap(({ name, beat }) =>
      beat.alive ? beat.cancelled.map(({ job, reason }) => ({ job: joinId(name, job), reason })) : [],
    );
    return { alive: true, cancelled };
  }

  /** A registration that came when nobody waited for it any more. */
  #registeredLate(shard: Shard, part: Part | undefined, id: InstanceId): void {
    if (part !== undefined && part.instance === null) part.instance = id;
    else shard.run((store) => store.deregister(id)).catch((err: unknown) => this.#logLate(shard, err));
  }

  #logLate(shard: Shard, err: unknown): void {
    this.#cluster.logger.debug({ err, shard: shard.name }, "a late registration was left to run out");
  }

  #forget(member: Member): void {
    this.#members.delete(member.id);
    for (const part of member.parts.values()) part.expiry?.cancel();
  }
}

function hasPart({ parts }: Member, { name }: Shard): boolean {
  const part = parts.get(name);
  return part !== undefined && (part.instance !== null || part.doubtful !== null);
}

function cancelledOf(values: readonly { readonly value: Beat }[]): readonly CancelRequest[] {
  return values.flatMap(({ value }) => (value === "registered" ? [] : value.cancelled));
}
