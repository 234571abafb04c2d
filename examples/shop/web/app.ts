/** The shop's HTTP application: an API to sign up, and three plain pages for the person at the demo. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { html } from "hono/html";
import type { Jobs, ScopeFactory } from "nightshift";
import { z } from "zod";
import { UnitOfWork } from "../database/unit-of-work.ts";
import { sendWelcome } from "../jobs/send-welcome.ts";
import type { Inbox } from "../mail/inbox.ts";
import type { ReportFolder } from "../report/report-folder.ts";
import { page } from "./page.ts";

const SignUp = z.object({ email: z.email(), name: z.string().trim().min(1).max(100) });

/** What the application works with. */
export interface AppParts {
  readonly scopes: ScopeFactory;
  readonly jobs: Jobs;
  readonly inbox: Inbox;
  readonly reports: ReportFolder;
}

export function createApp({ scopes, jobs, inbox, reports }: AppParts): Hono {
  const app = new Hono();

  // The customer and the job that will write to them are one transaction: both exist, or neither does.
  app.post("/signups", async (context) => {
    const isForm = context.req.header("content-type")?.includes("form") ?? false;
    const body = isForm ? await context.req.parseBody() : await context.req.json().catch(() => null);
    const signUp = SignUp.safeParse(body);
    if (!signUp.success) return context.json({ error: z.prettifyError(signUp.error) }, 400);
    const { email, name } = signUp.data;

    await using scope = scopes.createScope();
    const database = scope.get(UnitOfWork);
    const created = await database.transaction(async (tx) => {
      const sql = "INSERT INTO customer (email, name, signed_up_at) VALUES (?, ?, ?)";
      const customerId = database.run(sql, email, name, Date.now()).id;
      const job = await jobs.enqueue(sendWelcome, { customerId }, { tx });
      return { customerId, job: job.id };
    });
    return isForm ? context.redirect("/", 303) : context.json(created, 201);
  });

  app.get("/", async (context) => {
    await using scope = scopes.createScope();
    const database = scope.get(UnitOfWork);
    const customers = database.all<{ id: number; name: string; email: string }>(
      "SELECT id, name, email FROM customer ORDER BY id DESC LIMIT 10",
    );
    const rates = database.all<{ currency: string; rate: number }>("SELECT currency, rate FROM exchange_rate");
    return context.html(
      page(
        "The shop by night",
        html`<form method="post" action="/signups">
            <label>Name <input name="name" required maxlength="100" /></label>
            <label>E-mail <input name="email" type="email" required /></label>
            <button>Sign up</button>
          </form>
          <h2>Latest customers</h2>
          <ul>${customers.map((customer) => html`<li>${customer.name} &lt;${customer.email}&gt;</li>`)}</ul>
          <h2>A dollar in other currencies</h2>
          <ul>${rates.map((rate) => html`<li>${rate.rate.toFixed(3)} ${rate.currency}</li>`)}</ul>`,
      ),
    );
  });

  app.get("/inbox", async (context) => {
    const [mails, count] = await Promise.all([inbox.list(50), inbox.count()]);
    return context.html(
      page(
        "Inbox",
        html`<p>${count.received} mails received, ${count.repeated} of them for the second time.</p>
          ${mails.map(
            (mail) => html`<article>
              <h2>${mail.subject}</h2>
              <p class="small">to ${mail.to}, ${mail.at}</p>
              <pre>${mail.text}</pre>
            </article>`,
          )}`,
      ),
    );
  });

  app.get("/reports", async (context) => {
    const names = await reports.list();
    return context.html(
      page("Reports", html`<ul>${names.map((name) => html`<li><a href="/reports/${name}">${name}</a></li>`)}</ul>`),
    );
  });

  app.get("/reports/:name", async (context) => {
    const name = context.req.param("name");
    if (!(await reports.list()).includes(name)) return context.notFound();
    const file = Readable.toWeb(createReadStream(join(reports.folder, name))) as ReadableStream<Uint8Array>;
    return context.body(file, 200, { "content-type": "application/pdf" });
  });

  return app;
}
