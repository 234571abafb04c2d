/** `nightshift jobs` and `count`: which jobs are there, and how many. */
import { NightshiftError, show } from "../errors/index.ts";
import { parseFailure } from "../jobs/index.ts";
import {
  type JobFilter,
  type JobState,
  type JobSummary,
  MOST_COUNTED,
  type RunningOn,
  type Store,
} from "../store/contract.ts";
import { withStore } from "./care-commands.ts";
import { type Arguments, type Command, needed, readArguments } from "./command.ts";
import { agoText, table } from "./table.ts";

const FILTERS = ["state", "queue", "name"] as const;
const LISTED = 20;
const MOST_LISTED = 500;
/** The most running jobs that are sorted by how long they run. */
const MOST_SORTED = 10_000;
/** An error's place in a line of a terminal. */
const LONGEST_ERROR = 100;

const JOBS_USAGE = `nightshift jobs --state running --store sqlite:shop.db [--queue q] [--name job] [--limit 20] [--schema name] [--json]
  The newest jobs of a state, of a queue, of a name, up to 500: those that failed with their last error. Those that run
  stand in the order of their claims, the oldest first, with the process that runs them; "silent" is one that gave no sign
  in its time, so that its jobs are due to be given to another one.`;

export const jobsCommand: Command = {
  about: "which jobs match, and who runs them",
  usage: JOBS_USAGE,
  async run(args, terminal) {
    const given = readArguments(
      args,
      { values: ["store", "schema", ...FILTERS, "limit"], flags: ["json"] },
      JOBS_USAGE,
    );
    const filter = filterOf(given, JOBS_USAGE);
    const limit = limitOf(given.value("limit"));
    return withStore(given, JOBS_USAGE, terminal, async (store) => {
      const now = await store.now();
      const { items, more } = await (filter.state === "running" ? longestRunning : newest)(store, filter, limit);
      const jobs = items.map(({ error, ...job }) => ({ ...job, error: error === null ? null : parseFailure(error) }));
      if (given.flag("json")) await terminal.write(`${JSON.stringify({ now, jobs }, null, 2)}\n`);
      else await terminal.write(`${jobsText(items, filter.state, now)}\n`);
      if (more !== null) terminal.say(more);
      return 0;
    });
  },
};

const COUNT_USAGE = `nightshift count --state dead --store sqlite:shop.db [--queue q] [--name job] [--schema name] [--json]
  How many jobs are of a state, of a queue, of a name: what is there now, where the totals of stats also count what was
  removed after its retention. States are scheduled, ready, running, succeeded, dead and cancelled.`;

export const countCommand: Command = {
  about: "how many jobs match",
  usage: COUNT_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema", ...FILTERS], flags: ["json"] }, COUNT_USAGE);
    const filter = filterOf(given, COUNT_USAGE);
    return withStore(given, COUNT_USAGE, terminal, async (store) => {
      const { count, exact } = await store.countJobs({ ...filter, upTo: MOST_COUNTED });
      const text = given.flag("json") ? JSON.stringify({ count, exact }) : `${exact ? "" : "at least "}${count}`;
      await terminal.write(`${text}\n`);
      return 0;
    });
  },
};

interface Listed {
  readonly items: readonly JobSummary[];
  /** What to say when these are not all. */
  readonly more: string | null;
}

async function newest(store: Store, filter: JobFilter, limit: number): Promise<Listed> {
  const { items, next } = await store.listJobs({ ...filter, limit });
  return { items, more: next === null ? null : moreThan(items.length) };
}

/** A store lists by when jobs were enqueued, which says little about how long they run: all that run are read, and sorted here. */
async function longestRunning(store: Store, filter: JobFilter, limit: number): Promise<Listed> {
  const found: JobSummary[] = [];
  let cursor: string | null = "";
  while (cursor !== null && found.length < MOST_SORTED) {
    const page = await store.listJobs({ ...filter, limit: MOST_LISTED, ...(cursor === "" ? {} : { cursor }) });
    found.push(...page.items);
    cursor = page.next;
  }
  const items = found
    .reverse()
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
    .slice(0, limit);
  if (cursor !== null)
    return { items, more: `Only the ${found.length} that were enqueued last were looked at: narrow them down.` };
  return { items, more: found.length > limit ? moreThan(limit) : null };
}

function moreThan(count: number): string {
  return `There are more than these ${count}: narrow them down, or give --limit.`;
}

/** The state is the store's to judge. */
function filterOf(given: Arguments, usage: string): JobFilter {
  const state = needed(given, "state", usage) as JobState;
  const queue = given.value("queue");
  const name = given.value("name");
  return { state, ...(queue === undefined ? {} : { queue }), ...(name === undefined ? {} : { name }) };
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? LISTED : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_LISTED) return limit;
  throw new NightshiftError(
    "NS_OPTION_INVALID",
    `--limit is ${show(text)}. Give a whole number from 1 to ${MOST_LISTED}.`,
  );
}

function jobsText(jobs: readonly JobSummary[], state: JobState, now: number): string {
  const columns: readonly (readonly [head: string, cell: (job: JobSummary) => string | number])[] = [
    ["id", ({ id }) => id],
    ["job", ({ name, parked }) => `${name}${parked ? " (parked)" : ""}`],
    ["queue", ({ queue }) => queue],
    ["attempt", ({ attempt, maxAttempts }) => `${attempt} of ${maxAttempts}`],
    [SINCE[state] ?? "enqueued", ({ at, createdAt }) => whenText(at ?? createdAt, now)],
    state === "running"
      ? ["runs on", ({ instance }) => (instance === null ? "" : processText(instance, now))]
      : ["last error", ({ error }) => (error === null ? "" : errorText(error))],
  ];
  return table(
    columns.map(([head]) => head),
    jobs.map((job) => columns.map(([, cell]) => cell(job))),
    "no such jobs",
  );
}

/** What a job's moment is, by its state. */
const SINCE: Readonly<Partial<Record<JobState, string>>> = {
  running: "claimed",
  scheduled: "due",
  succeeded: "ended",
  dead: "ended",
  cancelled: "ended",
};

function processText({ name, pid, host, expiresAt }: RunningOn, now: number): string {
  const silent = expiresAt > now ? null : agoText(expiresAt, now);
  const mark = silent === null ? "" : silent === "now" ? ", silent" : `, silent for ${silent}`;
  return `${name} (pid ${pid} on ${host})${mark}`;
}

function whenText(at: number, now: number): string {
  if (at > now) return `in ${agoText(now, at)}`;
  const ago = agoText(at, now);
  return ago === "now" ? ago : `${ago} ago`;
}

function errorText(stored: string): string {
  const [line = ""] = parseFailure(stored).message.split("\n");
  return line.length > LONGEST_ERROR ? `${line.slice(0, LONGEST_ERROR)}…` : line;
}
