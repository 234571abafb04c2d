import { MOST_BYTES } from "../../shared/claiming.ts";
import { LEASES, PINNED } from "./work.ts";

/** The most jobs of a short claim. */
const FEW = 8;

/**
 * A claim of one queue that settles nothing and finds few jobs, as most do that a wake-up causes: three statements in
 * place of nine. Most of such a claim is the start and end of its statements. What is not as usual, a name that is not
 * known here, large inputs, several priorities or days, or more jobs than these, is left to work() (work.ts); nothing
 * has been done then but to lock rows.
 *
 * It walks each lane from its beginning: it is a sweep, and needs no floors.
 */
export const claim = `
create function claim(
  p_instance int, p_first bigint, p_queues int[], p_limits int[], p_kinds int[], p_server timestamptz
) ${LEASES}
${PINNED} as $$
declare
  v_queue int := p_queues[1];
  v_most int := least(p_limits[1], ${FEW + 1});
  v_rows tid[]; v_found bigint[];
  v_usual boolean;
begin
  if p_server is distinct from pg_postmaster_start_time() then
    return next;
    return;
  end if;
  -- The locks of work(). An expression is no statement: it costs next to nothing, and what comes after it sees what was
  -- committed before the locks were had.
  if pg_advisory_xact_lock_shared(hashtext(current_schema() || '/instance'), p_instance) is null
    or pg_advisory_xact_lock_shared(hashtext(current_schema()), v_queue) is null then
    return;
  end if;
  select array_agg(p.at), array_agg(p.job_id), array[min(p.bucket)], array[min(p.lane_id)], array_agg(p.kind_id), array_agg(p.attempt + 1),
    count(*) <= ${FEW} and bool_and(p.kind_id = any (p_kinds)) and min(p.bucket) = max(p.bucket) and min(p.lane_id) = max(p.lane_id)
    into v_rows, o_ids, o_buckets, o_lanes, o_kinds, o_attempts, v_usual
    from (
      select r.*
      from (
        select n.id from lane n
        where n.queue_id = v_queue
          and exists (select from instance i where i.id = p_instance and i.expires_at > now_ms())
          and not exists (select from queue q where q.id = v_queue and q.paused_at is not null)
        order by n.priority desc
      ) n cross join lateral (
        select r.ctid as at, r.* from ready r where r.lane_id = n.id order by r.job_id limit v_most for update skip locked
      ) r
      limit v_most
    ) p;
  if o_ids is null then return; end if;
  if v_usual then
    select array_agg(j.id), array_agg(j.max_attempts), array_agg(j.created_at),
      string_agg(j.input, e'\\x1e') filter (where octet_length(j.input) <= ${MOST_BYTES / FEW}),
      case when count(j.meta) > 0 then string_agg(coalesce('m' || j.meta, ''), e'\\x1e') end,
      bool_and(octet_length(j.input) <= ${MOST_BYTES / FEW})
      into v_found, o_max, o_created, o_inputs, o_metas, v_usual
      from job j where j.bucket = o_buckets[1] and j.id = any (o_ids);
    v_usual := v_usual and v_found = o_ids;
  end if;
  if v_usual is not true then
    return query
      select w.* from work(p_instance, null, null, null, null, null, null, null,
        p_first, p_queues, p_limits, p_kinds, null, null, 2, p_server) w;
    return;
  end if;
  o_lease := p_first;
  o_claimed := now_ms();
  with gone as (delete from ready where ctid = any (v_rows))
  insert into lease (id, claimed_at, instance_id, queue_id, ids, buckets, lanes, kinds, attempts)
  values (o_lease, o_claimed, p_instance, v_queue, o_ids, o_buckets, o_lanes, o_kinds, o_attempts);
  return next;
end $$;
`;
