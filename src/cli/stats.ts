/** What `nightshift stats` tells: for programs, and as tables for people. */
import { claimedAhead } from "../jobs/index.ts";
import { type Leader, leadersOf } from "../scheduling/index.ts";
import type { Counts, Finding, Store, StoredInstance, StoreInfo } from "../store/contract.ts";
import { everySchedule } from "../store/operations/export.ts";
import { systemClock } from "../time/index.ts";
import { agoText, table } from "./table.ts";

export interface Stats {
  readonly store: StoreInfo;
  readonly at: number;
  readonly counts: Counts;
  readonly schedules: { readonly all: number; readonly paused: number; readonly nextAt: number | null };
  readonly instances: readonly StoredInstance[];
  /** Null when the database that keeps them does not answer. */
  readonly leaders: readonly Leader[] | null;
  readonly findings: readonly Finding[];
}

export async function readStats(store: Store): Promise<Stats> {
  let all = 0;
  let paused = 0;
  let nextAt: number | null = null;
  for await (const schedule of everySchedule(store)) {
    all++;
    if (schedule.paused) paused++;
    else if (schedule.nextAt !== null) nextAt = Math.min(schedule.nextAt, nextAt ?? schedule.nextAt);
  }
  return {
    store: store.info(),
    at: await store.now(),
    counts: await store.counts(),
    schedules: { all, paused, nextAt },
    instances: await store.listInstances(),
    leaders: await leadersOf(store, systemClock),
    findings: await store.findings(),
  };
}

/** Where a store is, and in what: `shop.db (SQLite 3.53.2)`. */
export function placeText({ kind, location, engine }: StoreInfo): string {
  return `${location} (${kind === "sqlite" ? "SQLite " : ""}${engine})`;
}

export function statsText({ store, at, counts, schedules, instances, leaders, findings }: Stats): string {
  const ago = (time: number | null) => agoText(time, at);
  const queues = counts.queues.map(({ queue, ready, parked, scheduled, running, oldestReadyAt, paused }) => {
    const why = paused === null ? "" : `paused${paused.reason === null ? "" : `: ${paused.reason}`}`;
    return [queue, ready, parked, scheduled, running, ago(oldestReadyAt), why];
  });
  const { finished, retried } = counts;
  const processes = instances.map((instance) => {
    const { name, pid, host, version, running, concurrency, startedAt, expiresAt } = instance;
    const state = expiresAt > at ? "alive" : `silent for ${ago(expiresAt)}`;
    const ahead = claimedAhead([instance]);
    const more = ahead > 0 ? ` +${ahead} ahead` : "";
    return [name, host, pid, version, `${running - ahead}/${concurrency}${more}`, ago(startedAt), state];
  });
  const shards = (store.shards ?? []).map(({ name, location, engine, draining, away }) => {
    return [name, location, engine, draining ? "draining" : "", away === null ? "" : `away for ${ago(away.since)}`];
  });
  const next = schedules.nextAt === null ? "none is due" : `next at ${new Date(schedules.nextAt).toISOString()}`;
  return [
    ...(shards.length === 0 ? [placeText(store)] : [table(["shard", "at", "engine", "", ""], shards, "")]),
    "",
    table(["queue", "ready", "of them parked", "scheduled", "running", "oldest ready", ""], queues, "no jobs waiting"),
    ...aheadText(instances),
    "",
    `finished in all: ${finished.succeeded} succeeded, ${finished.dead} dead, ${finished.cancelled} cancelled; ${retried} attempts retried`,
    `schedules: ${schedules.all}, ${schedules.paused} of them paused; ${next}`,
    "",
    table(["process", "host", "pid", "version", "running", "up", ""], processes, "no processes"),
    ...(leaders?.map(({ role, holder }) => `${role} is led by ${holder}`) ?? ["who leads is not known now"]),
    ...findings.map(({ message }) => `! ${message}`),
    "",
  ].join("\n");
}

function aheadText(instances: readonly StoredInstance[]): readonly string[] {
  const ahead = claimedAhead(instances);
  return ahead === 0 ? [] : [`of those that run, at least ${ahead} are claimed ahead and have not begun`];
}
