/** What is not kept for ever: finished jobs beyond their retention, and traces that nobody asks for any more. */

/**
 * Removes finished jobs up to a cut of each state, with their history. A cut is an end and not only a time: keeping the
 * newest n asks for that, since many jobs end in one millisecond. A null cut keeps the state for ever. Ends are locked
 * first, so that a person's retry and this never both have a job.
 */
export const prune = `
create function prune(p_succeeded bigint, p_succeeded_job bigint, p_dead bigint, p_dead_job bigint,
  p_cancelled bigint, p_cancelled_job bigint, p_limit int) returns int
language plpgsql set search_path from current as $$
declare
  v_latest bigint := greatest(p_succeeded, p_dead, p_cancelled);
  v_jobs bigint[];
  v_buckets int[];
  v_pruned int;
begin
  -- A day that is being dropped must not lose a job that is coming back, nor count one twice.
  perform pg_advisory_xact_lock_shared(hashtext(current_schema() || '/ends'), 0);
  select array_agg(e.job_id), array_agg(e.bucket) into v_jobs, v_buckets from (
    select f.job_id, f.bucket from finished f
    where f.day <= v_latest / 86400000 and f.at <= v_latest and (
      (f.state = 'S' and (f.at, f.job_id) <= (p_succeeded, p_succeeded_job))
      or (f.state = 'D' and (f.at, f.job_id) <= (p_dead, p_dead_job))
      or (f.state = 'C' and (f.at, f.job_id) <= (p_cancelled, p_cancelled_job)))
    limit p_limit for update skip locked) e;
  if v_jobs is null then return 0; end if;
  delete from finished f where f.job_id = any (v_jobs);
  delete from job j using unnest(v_buckets, v_jobs) as u (bucket, id) where j.bucket = u.bucket and j.id = u.id;
  get diagnostics v_pruned = row_count;
  return v_pruned;
end $$;
`;

/**
 * Forgets what is older than a time. The names of instances go so long after they left, which is when a sweep first
 * missed them: nothing on the way of a job has to write that down. Tokens of leadership come from a sequence, so terms
 * may go; the totals (minute -1) stay.
 */
export const sweep = `
create function sweep(p_age bigint, p_limit int) returns int
language plpgsql set search_path from current as $$
declare
  v_now bigint := now_ms();
  v_swept int := 0;
  v_some int;
begin
  delete from rollup where minute = any (array(
    select r.minute from rollup r where r.minute >= 0 and r.minute < v_now - p_age order by r.minute limit p_limit));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  delete from leader where role = any (array(
    select l.role from leader l where l.expires_at < v_now - p_age limit p_limit for update skip locked));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  delete from imported where (source, source_job) in (
    select i.source, i.source_job from imported i where i.at < v_now - p_age order by i.at limit p_limit);
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  update instance_name n set left_at = v_now where n.left_at is null and not exists (select from instance i where i.id = n.id);
  delete from instance_name where id = any (array(
    select n.id from instance_name n where n.left_at < v_now - p_age order by n.id limit p_limit for update skip locked));
  get diagnostics v_some = row_count; v_swept := v_swept + v_some;
  return v_swept;
end $$;
`;
