import { LEASES } from "./work.ts";

/**
 * Stores jobs and claims, in one commit: what is enqueued where a slot is free for it need not wait for a second one.
 * The first row tells what was stored (o_ids, their one bucket, and in o_inputs when they are due); the others are those
 * of the worker's statement, which sees the new jobs because each statement in a volatile function has a snapshot of its
 * own.
 */
export const enqueueAndWork = `
create function enqueue_and_work(
  p_job_lanes int[], p_job_kinds int[], p_max_attempts int[], p_max_crashes int[], p_inputs text[], p_metas text[],
  p_in bigint[], p_at bigint[],
  p_instance int, p_first bigint, p_queues int[], p_limits int[], p_kinds int[], p_lanes int[], p_floors bigint[], p_sweep int,
  p_server timestamptz
) ${LEASES}
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select null::bigint, null::bigint, e.o_ids, array[e.o_bucket], null::int[], null::int[], null::int[], null::int[],
      null::bigint[], e.o_due::text, null::text
    from enqueue(p_job_lanes, p_job_kinds, p_max_attempts, p_max_crashes, p_inputs, p_metas, p_in, p_at, p_server) e;
  if not found then return; end if;
  return query
    select w.* from work(p_instance, null, null, null, null, null, null, null,
      p_first, p_queues, p_limits, p_kinds, p_lanes, p_floors, p_sweep, p_server) w;
end $$;
`;

/**
 * Whether a job stored now may be claimed by the instance at once, since nothing stands before it. A function, and
 * volatile: its locks (those of work()) are held before the snapshot is taken that looks for a pause. What stands below
 * the floors is left to sweeps, as by any claim.
 */
export const standsFree = `
create function stands_free(p_instance int, p_queue int, p_lanes int[], p_floors bigint[]) returns boolean
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/instance'), p_instance),
    pg_advisory_xact_lock_shared(hashtext(current_schema()), p_queue);
  return exists (select from instance i where i.id = p_instance and i.expires_at > now_ms())
    and not exists (select from queue q where q.id = p_queue and q.paused_at is not null)
    and not exists (
      select from lane n where n.queue_id = p_queue and exists (
        select from ready r where r.lane_id = n.id and r.job_id >= coalesce(p_floors[array_position(p_lanes, n.id)], 0)));
end $$;
`;
