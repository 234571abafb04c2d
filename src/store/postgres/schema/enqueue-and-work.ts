/**
 * Stores jobs and claims, in one commit: what is enqueued where a slot is free for it need not wait for a second one.
 * The first row tells what was stored (o_ids, their one bucket, and in o_inputs when they are due); the others are those of
 * the worker's statement, which sees the new jobs because each statement in a volatile function has a snapshot of its own.
 */
export const enqueueAndWork = `
create function enqueue_and_work(
  p_job_lanes int[], p_job_kinds int[], p_max_attempts int[], p_max_crashes int[], p_inputs text[], p_metas text[],
  p_in bigint[], p_at bigint[],
  p_instance int, p_queues int[], p_limits int[], p_kinds int[], p_lanes int[], p_floors bigint[], p_sweep int
) returns table (
  o_lease bigint, o_claimed bigint, o_ids bigint[], o_buckets int[], o_lanes int[], o_kinds int[], o_attempts int[],
  o_max int[], o_created bigint[], o_inputs text, o_metas text
)
language plpgsql set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  return query
    select null::bigint, null::bigint, e.o_ids, array[e.o_bucket], null::int[], null::int[], null::int[], null::int[],
      null::bigint[], e.o_due::text, null::text
    from enqueue(p_job_lanes, p_job_kinds, p_max_attempts, p_max_crashes, p_inputs, p_metas, p_in, p_at) e;
  return query
    select w.* from work(p_instance, null, null, null, null, null, null, null,
      p_queues, p_limits, p_kinds, p_lanes, p_floors, p_sweep) w;
end $$;
`;
