/**
 * Drops the oldest day that is over for good: all of its jobs ended before the cut, save survivors, which are moved to
 * the default partitions first (their ids name the bucket, so it must not change). Dropping a table writes nothing per
 * row and leaves nothing to vacuum. Only days of p_least jobs or more, or of none: the others are pruned row by row. So
 * are days with more than p_most survivors, which stay until they are empty: moving them would hold up everybody. A day
 * whose size does not say that it is worth it is counted, up to p_least: 50,000 rows of 77 bytes, the smallest, take 9 ms.
 *
 * Survivors are found before any lock: jobs that have no end before the cut. Nobody joins them meanwhile, because what
 * makes a finished job live again waits for this (the advisory lock). It is asked of the day itself, and of the few days
 * between it and the cut: asking where its jobs are now would read all of the history that is kept. Parents are then
 * locked only for detaching, in the order that claims lock them, and for no longer than it takes to put back a few rows.
 *
 * Joins are hashed, whatever the statistics of a day that is hardly ever analysed say: looking up each of its jobs takes
 * minutes.
 *
 * A day's history is that of its own jobs, and of survivors of earlier days that were still at work on it. Nothing is added
 * to the history of a day that is over, so what is to be kept of it is copied before the locks as well.
 */
export const retire = `
create function retire(p_cut bigint, p_least int, p_most int default 20000) returns bigint
language plpgsql security definer set search_path from current set lock_timeout = '1s' set enable_nestloop = off as $$
declare
  v_cut int := p_cut / 86400000;
  v_job text; v_finished text; v_bucket int;
  v_gone bigint; v_survivors bigint; v_kept bigint;
  v_empty boolean; v_count int;
begin
  if not pg_try_advisory_xact_lock(hashtext(current_schema() || '/ends'), 0) then return 0; end if;
  for v_job, v_bucket in
    select c.relname, substr(c.relname, 6)::int from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'job'::regclass and c.relname ~ '^job_p[0-9]+$' and substr(c.relname, 6)::int < v_cut order by 2
  loop
    v_finished := 'finished_p' || v_bucket;
    execute format('select not exists (select from %I)', v_job) into v_empty;
    if not v_empty then
      continue when obj_description(quote_ident(v_job)::regclass, 'pg_class') = 'stays';
      if pg_relation_size(quote_ident(v_job)::regclass) / 200 < p_least then
        execute format('select count(*) from (select from %I limit %s) first', v_job, p_least) into v_count;
        continue when v_count < p_least;
      end if;
    end if;

    drop table if exists pg_temp.survivor, pg_temp.story;
    execute format('create temporary table survivor on commit drop as select j.id from %1$I j where not exists (
      select from finished f where f.day >= %2$s and f.day < %3$s and f.bucket = %2$s and f.job_id = j.id
        and f.state in (''S'', ''D'', ''C'')) limit %4$s', v_job, v_bucket, v_cut, p_most + 1);
    get diagnostics v_survivors = row_count;
    if v_survivors > p_most then
      -- It is not looked at again until it is empty.
      execute format('comment on table %I is ''stays''', v_job);
      continue;
    end if;
    if to_regclass(quote_ident(current_schema()) || '.' || quote_ident(v_finished)) is null then v_finished := null;
    else
      execute format('create temporary table story on commit drop as select f.* from %I f where case when f.bucket = %s
        then f.job_id in (select s.id from survivor s)
        else exists (select from job j where j.bucket = f.bucket and j.id = f.job_id) end limit %s', v_finished, v_bucket, 10 * p_most + 1);
      get diagnostics v_kept = row_count;
      if v_kept > 10 * p_most then
        execute format('comment on table %I is ''stays''', v_job);
        continue;
      end if;
    end if;
    execute format('select count(*) - %s from %I', v_survivors, v_job) into v_gone;

    lock table job in access exclusive mode;
    lock table finished in access exclusive mode;
    execute format('alter table job detach partition %I', v_job);
    execute format('insert into job select j.* from %I j join survivor s on s.id = j.id', v_job);
    if v_finished is not null then
      execute format('alter table finished detach partition %I', v_finished);
      insert into finished select * from story;
      execute format('drop table %I', v_finished);
    end if;
    execute format('drop table %I', v_job);
    return v_gone;
  end loop;
  return 0;
end $$;
-- It runs with its owner's rights: only for those to whom that is given.
revoke all on function retire(bigint, int, int) from public;
`;
