/**
 * The shop, put together: an HTTP API, services that run all the time, jobs that must not be lost, and schedules, on
 * one SQLite file.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { getConnInfo } from "@hono/node-server/conninfo";
import { createHost, cron, interval, Jobs, ScopeFactory } from "nightshift";
import { Dashboard } from "nightshift/dashboard";
import { sqlite } from "nightshift/sqlite";
import { migrate } from "./database/schema.ts";
import { DatabaseFile, UnitOfWork } from "./database/unit-of-work.ts";
import { cleanUpSessions } from "./jobs/clean-up-sessions.ts";
import { makeReport } from "./jobs/make-report.ts";
import { pullRates } from "./jobs/pull-rates.ts";
import { sendReceipt } from "./jobs/send-receipt.ts";
import { sendWelcome } from "./jobs/send-welcome.ts";
import { folderInbox, Inbox } from "./mail/inbox.ts";
import { Mailer } from "./mail/mailer.ts";
import { SmtpServer, startSmtpServer } from "./mail/smtp-server.ts";
import { RatesServer, startRatesServer } from "./rates/rates-server.ts";
import { RatesSource } from "./rates/rates-source.ts";
import { ReportFolder } from "./report/report-folder.ts";
import { Heartbeat } from "./services/heartbeat.ts";
import { PurchaseWatcher } from "./services/purchase-watcher.ts";
import { Summary } from "./services/summary.ts";
import { Traffic } from "./services/traffic.ts";
import { Settings } from "./settings.ts";
import { createApp } from "./web/app.ts";
import { WebApp, WebServer } from "./web/web-server.ts";

/** Every kind of job that the shop knows. */
const jobs = [sendWelcome, sendReceipt, cleanUpSessions, pullRates, makeReport];

/** The shop's host, ready to run. */
export function createShop(settings: Settings) {
  mkdirSync(settings.data, { recursive: true });
  const file = join(settings.data, "shop.db");
  migrate(file);

  const builder = createHost({ name: "shop" });

  builder.services
    .value(Settings, settings)
    .value(DatabaseFile, file)
    .scoped(UnitOfWork)
    .value(Inbox, folderInbox(join(settings.data, "inbox")))
    .value(ReportFolder, new ReportFolder(join(settings.data, "reports")));

  // The outside world: yours, if the environment names it, else the demo's own servers.
  if (settings.smtpUrl === null) {
    builder.services.singleton(SmtpServer, [Inbox], startSmtpServer);
    builder.services.singleton(Mailer, [SmtpServer], (server) => new Mailer(server.url));
  } else {
    const url = settings.smtpUrl;
    builder.services.singleton(Mailer, [], () => new Mailer(url));
  }
  if (settings.ratesUrl === null) {
    builder.services.singleton(RatesServer, [], startRatesServer);
    builder.services.singleton(RatesSource, [RatesServer], (server) => new RatesSource(server.url));
  } else {
    const url = settings.ratesUrl;
    builder.services.singleton(RatesSource, [], () => new RatesSource(url));
  }

  builder.addJobs({ store: sqlite(file), jobs, concurrency: 20, queues: ["default", "mail"] });
  builder.addSchedule({
    id: "clean-up-sessions",
    trigger: cron("* * * * *"),
    job: cleanUpSessions,
    misfire: "run-once",
  });
  builder.addSchedule({ id: "pull-rates", trigger: interval("4s"), job: pullRates, misfire: "skip" });
  // A night at this shop takes twelve seconds.
  builder.addSchedule({ id: "nightly-report", trigger: interval("12s"), job: makeReport, misfire: "run-once" });
  builder.addDashboard({ path: "/jobs" });

  builder.addHostedService(Summary);
  builder.addHostedService(Heartbeat, { restart: "on-failure" });
  builder.addHostedService(PurchaseWatcher, { restart: "on-failure" });

  builder.services.singleton(
    WebApp,
    [ScopeFactory, Jobs, Inbox, ReportFolder, Dashboard],
    (scopes, client, inbox, reports, dashboard) => {
      const app = createApp({ scopes, jobs: client, inbox, reports });
      app.all("/jobs/*", (context) =>
        dashboard.fetch(context.req.raw, { remoteAddress: getConnInfo(context).remote.address }),
      );
      return app;
    },
  );
  builder.addHostedService(WebServer);

  if (settings.stopAfter !== null) builder.addHostedService(Traffic);
  return builder.build();
}
