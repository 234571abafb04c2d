/**
 * Which history of the database this is. After a failover to a replica that was behind, or a restored backup, sequences
 * have gone back: they would give numbers that somebody holds already, of jobs, instances, leaders' terms, lanes. No
 * replica knows how far its primary had come. So whoever takes numbers says which server it last met, by the moment that
 * server started: one comparison, and no row is read. Where it is another one, nothing is done, and meet() is called first:
 * it looks whether the history is another one too, and if so moves the sequences past all that was ever given.
 *
 * A job's number is past that at the present time in microseconds: no database takes a million jobs a second from its
 * first day on, and each history begins above what the ones before had come to by then. The small ones, which are few,
 * leap by more than a replica can be behind, and by chance, since two replicas may be promoted one after the other.
 */
export const era = `
create function server_started() returns text language sql stable
  return to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

create function server_history() returns text language plpgsql as $$
begin
  return (select system_identifier from pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
exception when others then
  -- A service that does not tell: each start of its server counts as another history.
  return server_started();
end $$;

-- One row. The id is another one after each leap: processes forget then what they remember of numbers.
create table era (id text not null, history text not null);
insert into era select gen_random_uuid(), server_history();

-- With the owner's rights: setval() needs more than taking numbers does.
create function meet(p_strict boolean) returns table (o_started text, o_era text)
language plpgsql security definer set search_path from current as $$
declare
  v_history text; v_known text; v_table text; v_sequence regclass;
  v_now bigint := extract(epoch from clock_timestamp()) * 1000000;
begin
  select e.id, e.history into o_era, v_known from era e;
  if pg_is_in_recovery() then
    if p_strict then raise 'a standby cannot be written' using errcode = 'read_only_sql_transaction'; end if;
    return next;
    return;
  end if;
  v_history := server_history();
  if v_known <> v_history then
    select e.id, e.history into o_era, v_known from era e for update;
    if v_known <> v_history then
      foreach v_table in array array['job_seq', 'revision_seq', 'term_seq'] loop
        perform setval(v_table, greatest(nextval(v_table), v_now));
      end loop;
      foreach v_table in array array['instance', 'queue', 'kind', 'lane'] loop
        v_sequence := pg_get_serial_sequence(v_table, 'id');
        perform setval(v_sequence, nextval(v_sequence) + 100000 + (random() * 100000)::int);
      end loop;
      update era e set id = gen_random_uuid(), history = v_history returning e.id into o_era;
    end if;
  end if;
  o_started := server_started();
  return next;
end $$;
`;
