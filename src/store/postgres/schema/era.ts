/**
 * Which start of which server this is. After a failover to a replica that was behind, a restored backup or a disk that was
 * set back to a snapshot, sequences have gone back: they would give numbers that somebody holds already, of jobs, instances,
 * leaders' terms, lanes. No replica knows how far its primary had come, and a disk that was set back looks like any other. So
 * whoever takes numbers says which server it last met, by the moment that server started: one comparison, and no row is
 * read. Where it is another one, nothing is done, and meet() is called first: whoever is the first to meet a server since
 * it started moves the sequences past all that was ever given, whatever the server may have forgotten. So does the first
 * who opens a schema that was restored from a dump.
 *
 * A job's number is past that at the present time in microseconds: no database takes a million jobs a second from its
 * first day on, and each start begins above what the ones before had come to by then. The small ones, which are few and
 * 32 bits wide, leap by what may have been given since the database last looked at its clock, ten a second, and something
 * more: by chance, since two replicas may be promoted one after the other.
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

-- One row: the start that was met last, and when somebody last looked. maintain() looks as well. Whose own is the oid of this
-- very table: a schema that was restored from a dump, on a server that runs on, has another one.
create table era (started text not null, history text not null, seen_at bigint not null, own oid not null);
insert into era select server_started(), server_history(), extract(epoch from clock_timestamp()) * 1000, 'era'::regclass;

-- With the owner's rights: setval() needs more than taking numbers does.
create function meet(p_strict boolean) returns table (o_started text, o_history text)
language plpgsql security definer set search_path from current as $$
declare
  v_known text; v_history text; v_seen bigint; v_own oid;
  v_table text; v_sequence regclass;
  v_now bigint := extract(epoch from clock_timestamp()) * 1000000;
  v_next bigint; v_least int; v_missed bigint;
begin
  select e.started, e.history, e.own into v_known, o_history, v_own from era e;
  if pg_is_in_recovery() then
    if p_strict then raise 'a standby cannot be written' using errcode = 'read_only_sql_transaction'; end if;
    return next;
    return;
  end if;
  o_started := server_started();
  if v_known <> o_started or v_own <> 'era'::regclass then
    select e.started, e.history, e.seen_at, e.own into v_known, v_history, v_seen, v_own from era e for update;
    o_history := v_history;
    if v_known <> o_started or v_own <> 'era'::regclass then
      o_history := server_history();
      foreach v_table in array array['job_seq', 'revision_seq', 'term_seq'] loop
        perform setval(v_table, greatest(nextval(v_table), v_now));
      end loop;
      -- A server that starts over and over must not use them up; a failover, which is rare, may have lost more at once.
      v_least := case when o_history = v_history then 1000 else 100000 end;
      v_missed := least(greatest(v_now / 1000 - v_seen, 0) / 100, 100000000);
      foreach v_table in array array['instance', 'queue', 'kind', 'lane'] loop
        v_sequence := pg_get_serial_sequence(v_table, 'id');
        v_next := nextval(v_sequence);
        -- Near their end they go on one by one.
        perform setval(v_sequence, least(v_next + v_missed + (v_least * (1 + random()))::int, greatest(v_next, 2147000000)));
      end loop;
      update era e set started = o_started, history = o_history, seen_at = v_now / 1000, own = 'era'::regclass;
    end if;
  end if;
  return next;
end $$;
`;
