/**
 * How many lines of history there are after a time up to another; it counts to p_most at the most. A function for its
 * setting: for a few rows the planner would walk the day from its beginning, which is the wrong end.
 */
export const crowd = `
create function crowd(p_after bigint, p_to bigint, p_most int) returns bigint
language sql stable set search_path from current set enable_seqscan = off as $$
  select count(*) from (select from finished f where f.at > p_after and f.at <= p_to and f.day >= p_after / 86400000 limit p_most) c
$$;
`;
