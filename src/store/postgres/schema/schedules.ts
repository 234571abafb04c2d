/** Schedules move forward here: guarded by their revision, and by the key of their occurrences. */

/** Writes schedules; an entry whose expected revision is not the stored one is left as it is. */
export const saveSchedules = `
create function save_schedules(p_schedules jsonb, p_expected bigint[], p_server timestamptz) returns setof schedule
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_new jsonb;
  v_index int := 0;
  v_saved schedule%rowtype;
begin
  if p_server is distinct from pg_postmaster_start_time() then return; end if;
  -- Locks the names, so that "must not exist yet" holds although there is no row to lock; names and rows each in one order,
  -- so that two that write the same schedules wait for each other and do not lock.
  perform pg_advisory_xact_lock(name) from (
    select distinct hashtextextended(current_schema() || '/schedule/' || (n ->> 'id'), 0) as name
    from jsonb_array_elements(p_schedules) n order by 1) names;
  perform from schedule s where s.id in (select n ->> 'id' from jsonb_array_elements(p_schedules) n) order by s.id for update;
  for v_new in select * from jsonb_array_elements(p_schedules) loop
    v_index := v_index + 1;
    v_saved := null;
    if p_expected is null or p_expected[v_index] =
        coalesce((select s.revision from schedule s where s.id = v_new ->> 'id' for update), 0) then
      insert into schedule as s (id, "group", source, job, definition, next_at, paused, revision, created_at, updated_at)
      values (v_new ->> 'id', v_new ->> 'group', v_new ->> 'source', v_new ->> 'job', v_new ->> 'definition',
        (v_new ->> 'nextAt')::bigint, (v_new ->> 'paused')::boolean, nextval('revision_seq'), v_now, v_now)
      on conflict (id) do update set "group" = excluded."group", source = excluded.source, job = excluded.job,
        definition = excluded.definition, next_at = excluded.next_at, paused = excluded.paused,
        revision = excluded.revision, updated_at = greatest(s.updated_at, excluded.updated_at)
      returning * into v_saved;
    end if;
    return next v_saved;
  end loop;
end $$;
`;

/**
 * Removes schedules where the revision expected (null: any) is the stored one. Their history goes in a statement of its own:
 * only a fresh snapshot sees the lines of a move that was under way and that the first one waited for.
 */
export const removeSchedules = `
create function remove_schedules(p_ids text[], p_expected bigint[]) returns setof text
language plpgsql set search_path from current as $$
declare
  v_gone text[];
begin
  perform from schedule s where s.id = any (p_ids) order by s.id for update;
  with gone as (
    delete from schedule s using unnest(p_ids, p_expected) g (id, revision)
    where s.id = g.id and (g.revision is null or s.revision = g.revision) returning s.id)
  select array_agg(id) into v_gone from gone;
  delete from occurrence o where o.schedule_id = any (v_gone);
  return query select unnest(v_gone);
end $$;
`;

/**
 * Moves schedules forward and enqueues their occurrences' jobs, in one commit. A schedule that moved on since is stale
 * and left alone; an occurrence that is in the history already makes no second job, whatever the revision says.
 *
 * Rows: first a schedule's own (o_at null; o_revision null when stale), then one per occurrence in order (o_note: when
 * its job is due), then one per job that was to be cancelled (o_note: what became of that).
 */
export const fire = `
create function fire(p_fires jsonb, p_by text, p_server timestamptz)
returns table (o_fire int, o_revision bigint, o_at bigint, o_job text, o_note text)
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_fire jsonb; v_occurrence jsonb; v_job jsonb;
  v_schedule schedule%rowtype;
  v_made record;
  v_last_at bigint; v_last_job text;
  v_cancel jsonb;
begin
  if p_server is distinct from pg_postmaster_start_time() then return; end if;
  -- In one order, whatever order the moves are in: two batches with the same schedules wait for each other, and do not lock.
  perform from schedule s where s.id in (select f ->> 'schedule' from jsonb_array_elements(p_fires) f) order by s.id for update;
  o_fire := -1;
  for v_fire in select * from jsonb_array_elements(p_fires) loop
    o_fire := o_fire + 1; o_at := null; o_job := null; o_note := null; o_revision := null;
    select * into v_schedule from schedule s where s.id = v_fire ->> 'schedule' for update;
    if not found or v_schedule.revision <> (v_fire ->> 'revision')::bigint then
      return next;
      continue;
    end if;
    o_revision := nextval('revision_seq');
    return next;
    v_last_at := v_schedule.last_at; v_last_job := v_schedule.last_job;
    for v_occurrence in select * from jsonb_array_elements(v_fire -> 'occurrences') loop
      o_at := (v_occurrence ->> 'at')::bigint; o_job := null; o_note := null;
      insert into occurrence (schedule_id, at, fired_at, what, reason, by)
      values (v_schedule.id, o_at, v_now, v_occurrence ->> 'what', v_occurrence ->> 'reason', p_by)
      on conflict do nothing;
      if found then
        v_job := v_occurrence -> 'job';
        if v_job is not null then
          select * into v_made from enqueue(
            array[(v_job ->> 'lane')::int], array[(v_job ->> 'kind')::int], array[(v_job ->> 'maxAttempts')::int],
            array[(v_job ->> 'maxCrashes')::int], array[v_job ->> 'input'], array[v_job ->> 'meta'],
            array[(v_job ->> 'in')::bigint], array[(v_job ->> 'at')::bigint], p_server);
          o_job := v_made.o_bucket || '-' || v_made.o_ids[1];
          o_note := v_made.o_due[1];
          update occurrence o set job = o_job where o.schedule_id = v_schedule.id and o.at = o_at;
        end if;
        v_last_at := greatest(v_last_at, o_at);
        v_last_job := coalesce(o_job, v_last_job);
      end if;
      return next;
    end loop;
    update schedule s set next_at = (v_fire ->> 'nextAt')::bigint, definition = coalesce(v_fire ->> 'definition', s.definition),
      revision = o_revision, updated_at = greatest(s.updated_at, v_now), last_at = v_last_at, last_job = v_last_job
    where s.id = v_schedule.id;
    v_cancel := v_fire -> 'cancel';
    if jsonb_array_length(v_cancel -> 'jobs') > 0 then
      o_at := null;
      for o_job, o_note in
        select job ->> 'bucket' || '-' || (job ->> 'id'), what
        from rows from (jsonb_array_elements(v_cancel -> 'jobs'), unnest(cancel(
          array(select (job ->> 'bucket')::int from jsonb_array_elements(v_cancel -> 'jobs') job),
          array(select (job ->> 'id')::bigint from jsonb_array_elements(v_cancel -> 'jobs') job),
          v_cancel ->> 'reason'))) as of_job (job, what)
      loop
        return next;
      end loop;
    end if;
  end loop;
end $$;
`;
