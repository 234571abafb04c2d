/** Partitions: a day of jobs and a day of history each have one, so that retention drops them whole. */

/**
 * Makes the partitions of a day, if they are not there. A day that began without them has its rows in the default ones:
 * they are moved first. The new table is made beside and attached, which asks less of a lock than CREATE ... PARTITION OF.
 */
export const makeDay = `
create function make_day(p_day int) returns int
language plpgsql set search_path from current as $$
declare
  v_parent text; v_column text; v_name text;
  v_moving boolean;
  v_made int := 0;
begin
  foreach v_parent in array array['job', 'finished'] loop
    v_name := v_parent || '_p' || p_day;
    continue when to_regclass(quote_ident(current_schema()) || '.' || quote_ident(v_name)) is not null;
    v_column := case v_parent when 'job' then 'bucket' else 'day' end;
    execute format('create table %I (like %I including defaults including constraints including storage)', v_name, v_parent);
    execute format('alter table %I add constraint %I check (%I = %s)', v_name, v_name || '_day', v_column, p_day);
    execute format('select exists (select from %I where %I = %s)', v_parent || '_default', v_column, p_day) into v_moving;
    if v_moving then
      execute format('lock table %I in access exclusive mode', v_parent || '_default');
      execute format('with gone as (delete from %I where %I = %s returning *) insert into %I select * from gone',
        v_parent || '_default', v_column, p_day, v_name);
    end if;
    execute format('alter table %I attach partition %I for values from (%s) to (%s)', v_parent, v_name, p_day, p_day + 1);
    -- It saved attaching a look at every row; from now on the bounds say the same, and a check is paid for by each insert.
    execute format('alter table %I drop constraint %I', v_name, v_name || '_day');
    v_made := v_made + 1;
  end loop;
  return v_made;
end $$;
revoke all on function make_day(int) from public;
`;

/**
 * The partitions of today and the days ahead. It also notes the time, for whoever meets a server that has forgotten more
 * than it knows (era.ts). Runs with the owner's rights, so that an application's role needs none to create
 * tables.
 */
export const maintain = `
create function maintain(p_ahead int) returns int
language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
  v_today int := now_ms() / 86400000;
  v_made int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext(current_schema()), -2) then return 0; end if;
  update era set seen_at = now_ms();
  for v_day in v_today .. v_today + least(p_ahead, 30) loop
    v_made := v_made + make_day(v_day);
  end loop;
  return v_made;
end $$;
revoke all on function maintain(int) from public;
`;

/** The partitions of past days that imported history is about. Runs with the owner's rights. */
export const makeDays = `
create function make_days(p_days int[]) returns int
language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
  v_today int := now_ms() / 86400000;
  v_day int;
  v_made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext(current_schema()), -2);
  foreach v_day in array p_days loop
    continue when v_day > v_today or v_day < v_today - 400;
    v_made := v_made + make_day(v_day);
  end loop;
  return v_made;
end $$;
revoke all on function make_days(int[]) from public;
`;
