/** Whether what must hold in the schema does. Walks everything; raise `statementTimeout` for a large one. */
import type { Finding, Verification } from "../contract.ts";
import { brokenInvariant, type Invariant } from "../shared/invariants.ts";
import { run, type Session } from "./session.ts";

const place = (s: string) => `
  select job_id, bucket from ${s}.ready union all select job_id, bucket from ${s}.parked
  union all select job_id, bucket from ${s}.scheduled
  union all select h.job_id, h.bucket from ${s}.lease l cross join lateral ${s}.held(l) h`;
const over = (s: string, of: string, id: string) => `exists (select from ${s}.finished f
  where f.job_id = ${of}.${id} and f.bucket = ${of}.bucket and f.day >= ${of}.bucket and f.state in ('S', 'D', 'C'))`;

/** Who breaks it: the id as text. */
const BROKEN: Readonly<Record<Invariant, (s: string) => string>> = {
  "job without body": (s) => `select p.bucket || '-' || p.job_id as id from (${place(s)}) p
    where not exists (select from ${s}.job j where j.bucket = p.bucket and j.id = p.job_id)`,
  "job in two places": (s) => `select min(p.bucket) || '-' || p.job_id as id from (${place(s)}) p
    group by p.job_id having count(*) > 1`,
  "job that is over and waits": (s) => `select p.bucket || '-' || p.job_id as id from (${place(s)}) p
    where ${over(s, "p", "job_id")}`,
  "job in no place": (s) => `select j.bucket || '-' || j.id as id from ${s}.job j
    where not exists (select from (${place(s)}) p where p.job_id = j.id) and not ${over(s, "j", "id")}`,
  "history without job": (s) => `select distinct f.bucket || '-' || f.job_id as id from ${s}.finished f
    where not exists (select from ${s}.job j where j.bucket = f.bucket and j.id = f.job_id)`,
  "lease without instance": (s) => `select l.id::text as id from ${s}.lease l
    where not exists (select from ${s}.instance i where i.id = l.instance_id)`,
};

export async function verify(session: Session): Promise<Verification> {
  const { s } = session;
  const findings: Finding[] = [];
  for (const [what, broken] of Object.entries(BROKEN) as [Invariant, (s: string) => string][]) {
    const text = `select count(*), to_json((array_agg(b.id))[1:5]) from (${broken(s)}) b`;
    const [row] = await run(session, `verify_${what.replaceAll(" ", "_")}`, text, []);
    findings.push(...brokenInvariant(what, Number(row?.[0]), JSON.parse(row?.[1] ?? "[]") as string[]));
  }
  const [jobs] = await run(session, "all_jobs", `select count(*) from ${s}.job`, []);
  return { jobs: Number(jobs?.[0]), findings };
}
