/** Generates a periodic report: a PDF with a chart of the latest sign-ups and takings, written to the folder of reports. */
import { defineJob } from "nightshift";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { type Bar, ReportFolder } from "../report/report-folder.ts";

export const makeReport = defineJob({
  name: "report.make",
  timeout: "1m",
  inject: [UnitOfWork, ReportFolder],
  async run(_input, job, database, reports) {
    const bars = database.all<Bar>(`
      SELECT strftime('%H:%M:%S', min(signed_up_at) / 5000 * 5, 'unixepoch') AS label, count(*) AS value
      FROM customer GROUP BY signed_up_at / 5000 ORDER BY signed_up_at / 5000 DESC LIMIT 12`);
    const total = database.get<{ customers: number; cents: number }>(
      "SELECT (SELECT count(*) FROM customer) AS customers, (SELECT coalesce(sum(cents), 0) FROM purchase) AS cents",
    );
    const file = await reports.write({
      title: "The shop by night",
      lines: [`${total?.customers ?? 0} customers`, `${((total?.cents ?? 0) / 100).toFixed(2)} dollars taken`],
      chart: { title: "Sign-ups in five seconds (UTC)", bars: bars.toReversed() },
      signal: job.signal,
    });
    return { file };
  },
});
