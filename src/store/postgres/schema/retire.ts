/**
 * Drops the oldest day that is over for good: all of its jobs ended before the cut, save survivors, which are moved to
 * the default partitions first (their ids name the bucket, so it must not change). Dropping a table writes nothing per
 * row and leaves nothing to vacuum. Only days of p_least jobs or more, or of none: the others are pruned row by row.
 *
 * Survivors are found before any lock: jobs that live, or that ended at the cut or later. Nobody joins them meanwhile,
 * because what makes a finished job live again waits for this (the advisory lock). Parents are then locked only for
 * detaching, in the order that claims lock them, and for no longer than it takes to move a few rows.
 */
export const retire = `
create function retire(p_cut bigint, p_least int) returns bigint
language plpgsql security definer set search_path from current set lock_timeout = '1s' as $$
declare
  v_cut int := p_cut / 86400000;
  v_job text; v_finished text; v_bucket int;
  v_gone bigint;
  v_empty boolean;
begin
  if not pg_try_advisory_xact_lock(hashtext(current_schema() || '/ends'), 0) then return 0; end if;
  for v_job, v_bucket in
    select c.relname, substr(c.relname, 6)::int from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'job'::regclass and c.relname ~ '^job_p[0-9]+$' and substr(c.relname, 6)::int < v_cut order by 2
  loop
    v_finished := 'finished_p' || v_bucket;
    execute format('select not exists (select from %I)', v_job) into v_empty;
    continue when not v_empty and pg_relation_size(quote_ident(v_job)::regclass) / 200 < p_least;

    create temporary table survivor on commit drop as
      select r.job_id as id from ready r where r.bucket = v_bucket
      union select s.job_id from scheduled s where s.bucket = v_bucket
      union select p.job_id from parked p where p.bucket = v_bucket
      union select h.job_id from lease l cross join lateral held(l) h where h.bucket = v_bucket
      union select f.job_id from finished f where f.bucket = v_bucket and f.day >= v_cut and f.state in ('S', 'D', 'C');
    execute format('select count(*) from %I j where not exists (select from survivor s where s.id = j.id)', v_job) into v_gone;

    lock table job in access exclusive mode;
    lock table finished in access exclusive mode;
    execute format('alter table job detach partition %I', v_job);
    execute format('insert into job select j.* from %I j join survivor s on s.id = j.id', v_job);
    if to_regclass(quote_ident(current_schema()) || '.' || quote_ident(v_finished)) is not null then
      execute format('alter table finished detach partition %I', v_finished);
      execute format('insert into finished select f.* from %I f where exists (
        select from job j where j.bucket = f.bucket and j.id = f.job_id)', v_finished);
      execute format('drop table %I', v_finished);
    end if;
    execute format('drop table %I', v_job);
    drop table survivor;
    return v_gone;
  end loop;
  return 0;
end $$;
-- It runs with its owner's rights: only for those to whom that is given.
revoke all on function retire(bigint, int) from public;
`;
