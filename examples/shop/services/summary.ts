/** What happened in one run, in a few lines: counted when everything has started, and again when everything has stopped. */
import { type HostedService, Jobs, Schedules } from "nightshift";
import { Inbox } from "../mail/inbox.ts";

interface Totals {
  readonly mails: number;
  readonly repeated: number;
  readonly succeeded: number;
  readonly retried: number;
  readonly dead: number;
  readonly fired: number;
  readonly waiting: number;
}

export class Summary implements HostedService {
  static readonly inject = [Jobs, Schedules, Inbox] as const;
  readonly #jobs: Jobs;
  readonly #schedules: Schedules;
  readonly #inbox: Inbox;
  #before: Totals | undefined;
  #after: Totals | undefined;

  constructor(jobs: Jobs, schedules: Schedules, inbox: Inbox) {
    this.#jobs = jobs;
    this.#schedules = schedules;
    this.#inbox = inbox;
  }

  async start(): Promise<void> {
    this.#before = await this.#totals();
  }

  stop(): void {
    // Jobs may still be running: `stopped` comes when every service has stopped.
  }

  /** The store is still open: it was added before this service, so it is closed after it. */
  async stopped(): Promise<void> {
    this.#after = await this.#totals();
  }

  toString(): string {
    const [before, after] = [this.#before, this.#after];
    if (!before || !after) return "The shop did not open.";
    const count = (key: keyof Totals) => after[key] - before[key];
    return [
      "",
      "The shop is closed. This time:",
      `  mails sent        ${count("mails")} (${count("repeated")} of them a second time)`,
      `  jobs succeeded    ${count("succeeded")}`,
      `  attempts retried  ${count("retried")}`,
      `  jobs dead         ${count("dead")}`,
      `  schedules fired   ${count("fired")}`,
      `  jobs still to do  ${after.waiting} (the next start goes on with them)`,
    ].join("\n");
  }

  async #totals(): Promise<Totals> {
    const [counts, mail, fired] = await Promise.all([this.#jobs.counts(), this.#inbox.count(), this.#fired()]);
    return {
      mails: mail.received,
      repeated: mail.repeated,
      succeeded: counts.finished.succeeded,
      retried: counts.retried,
      dead: counts.finished.dead,
      fired,
      waiting: counts.queues.reduce((sum, queue) => sum + queue.ready + queue.scheduled + queue.running, 0),
    };
  }

  /** How many occurrences made a job, as far as the history goes back. */
  async #fired(): Promise<number> {
    const { items } = await this.#schedules.list({ limit: 100 });
    const histories = await Promise.all(items.map(({ id }) => this.#schedules.occurrences(id, { limit: 500 })));
    return histories.flatMap((history) => history.items).filter(({ what }) => what === "fired").length;
  }
}
