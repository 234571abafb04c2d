/** What must hold, asked as: who breaks it? Each walks tables as a whole, and is asked by people only. */
import type { Invariant } from "../../shared/invariants.ts";

export const ALL_JOBS = `SELECT count(*) AS n FROM nightshift_job`;

/** Every place of every job that is not over. A lease lists three numbers a job, the first of them its id. */
const PLACE = `
  SELECT job_id FROM nightshift_ready
  UNION ALL SELECT job_id FROM nightshift_parked
  UNION ALL SELECT job_id FROM nightshift_scheduled
  UNION ALL SELECT e.value FROM nightshift_lease AS l, json_each(l.jobs) AS e WHERE e.key % 3 = 0`;
const OVER = (job: string) => `coalesce((SELECT f.what FROM nightshift_finished AS f WHERE f.job_id = ${job}
  ORDER BY f.id DESC LIMIT 1), '') IN ('s', 'd', 'c')`;

export const BROKEN: Readonly<Record<Invariant, string>> = {
  "job without body": `
    SELECT p.job_id AS id FROM (${PLACE}) AS p WHERE NOT EXISTS (SELECT 1 FROM nightshift_job AS j WHERE j.id = p.job_id)`,
  "job in two places": `SELECT p.job_id AS id FROM (${PLACE}) AS p GROUP BY p.job_id HAVING count(*) > 1`,
  "job that is over and waits": `SELECT p.job_id AS id FROM (${PLACE}) AS p WHERE ${OVER("p.job_id")}`,
  "job in no place": `
    SELECT x.id FROM (SELECT id FROM nightshift_job EXCEPT SELECT job_id FROM (${PLACE})) AS x WHERE NOT ${OVER("x.id")}`,
  "history without job": `
    SELECT DISTINCT f.job_id AS id FROM nightshift_finished AS f
    WHERE NOT EXISTS (SELECT 1 FROM nightshift_job AS j WHERE j.id = f.job_id)`,
  "lease without instance": `
    SELECT l.id FROM nightshift_lease AS l
    WHERE NOT EXISTS (SELECT 1 FROM nightshift_instance AS i WHERE i.id = l.instance_id)`,
};
