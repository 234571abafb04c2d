/** Schedules that people write: what a form starts from, what an expression will do, and making, changing, removing. */
import { Problems } from "../../../errors/index.ts";
import type { StoredSchedule } from "../../../store/contract.ts";
import { explainCron, explainFire, withHashKey } from "../../../time/index.ts";
import type { DialectChoice, MisfireChoice, OverlapChoice, SchedulePreview } from "../../api.ts";
import { readInput } from "../form-input.ts";
import { fieldProblems, withFields } from "../form-problems.ts";
import type { BodyReader } from "../params.ts";
import type { DashboardParts, ScheduleEditor } from "../parts.ts";
import { showJson } from "../redact.ts";
import { Refusal } from "../refusal.ts";
import type { OperateRoute, ReadRoute } from "../route.ts";
import { readTrigger } from "../written-trigger.ts";
import { findSchedule, readId } from "./schedules.ts";

const DIALECTS: readonly DialectChoice[] = ["unix", "cronos", "quartz"];
const MISFIRES: readonly MisfireChoice[] = ["run-once", "skip", "run-all", "catch-up"];
const OVERLAPS: readonly OverlapChoice[] = ["allow", "skip", "queue", "replace"];
const FIRES_PREVIEWED = 5;
const LONGEST_ID = 200;
const LONGEST_DESCRIPTION = 2_000;
const LONGEST_TRIGGER = 4_000;
/** Below the limit of a body, so that the answer can name the field. */
const LONGEST_INPUT = 50_000;

/** `api/schedules/form` */
export const scheduleForm: ReadRoute<"api/schedules/form"> = {
  method: "GET",
  permission: "read",
  query: ["id"],
  async handle({ parts }, query) {
    const id = query.text("id");
    const timeZones = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
    const jobs = parts.schedules?.editor?.jobs() ?? [];
    if (id === undefined) return { jobs, timeZones, schedule: null };
    const stored = await findSchedule(parts, id);
    return { jobs, timeZones, schedule: await withFields(async () => editorOf(parts).facts(stored)) };
  },
};

/** `api/schedule/input` */
export const scheduleInput: ReadRoute<"api/schedule/input"> = {
  method: "GET",
  permission: "read",
  query: ["id"],
  async handle({ parts }, query) {
    const stored = await findSchedule(parts, query.required("id"));
    return showJson(await withFields(async () => editorOf(parts).input(stored)), parts.isHidden);
  },
};

/** `api/schedules/preview`: a mistake is its answer, not its failure. */
export const previewSchedule: ReadRoute<"api/schedules/preview"> = {
  method: "GET",
  permission: "read",
  query: ["trigger", "expression", "dialect", "timeZone", "id"],
  async handle({ parts }, query) {
    const dialect = query.text("dialect") === undefined ? "unix" : query.oneOf("dialect", DIALECTS);
    const timeZone = query.text("timeZone") ?? "UTC";
    const now = await parts.store.now();
    const [trigger, id] = [query.text("trigger"), query.text("id") ?? "new"];
    try {
      return trigger === undefined
        ? preview(query.required("expression"), dialect, timeZone, id, now)
        : previewTrigger(trigger, id, now);
    } catch (error) {
      const problems = fieldProblems(error);
      if (problems === null) throw error;
      return { problems, description: null, fires: [], warnings: [] };
    }
  },
};

/** `api/schedules/create` */
export const createSchedule: OperateRoute<"api/schedules/create"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only(...DRAFT, "id", "paused");
    return {
      id: body.text("id", LONGEST_ID),
      job: body.text("job"),
      ...(body.has("trigger") ? readTriggerText(body) : readWhen(body)),
      input: body.optionalText("input", LONGEST_INPUT) ?? "",
      misfire: body.oneOf("misfire", MISFIRES),
      overlap: body.oneOf("overlap", OVERLAPS),
      description: body.optionalText("description", LONGEST_DESCRIPTION) ?? "",
      paused: body.flag("paused"),
    };
  },
  audit: withoutInput,
  async handle({ parts }, { input: text, ...draft }) {
    await withFields(async () => {
      const now = await parts.store.now();
      const problems = new Problems();
      // Both are looked at before either is refused: one round tells of all that is wrong.
      problems.attempt(() =>
        "trigger" in draft
          ? previewTrigger(draft.trigger, draft.id, now)
          : preview(draft.expression, draft.dialect, draft.timeZone, draft.id, now),
      );
      const input = problems.attempt(() => readInput(text, parts.isHidden));
      problems.throwIfAny("The schedule");
      await editorOf(parts).create({ ...draft, ...(input === undefined ? {} : { input }) });
    });
    return { done: true };
  },
};

/** `api/schedules/update` */
export const updateSchedule: OperateRoute<"api/schedules/update"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only(...DRAFT, "id", "revision");
    const input = body.optionalText("input", LONGEST_INPUT);
    const description = body.optionalText("description", LONGEST_DESCRIPTION);
    return {
      id: body.text("id"),
      revision: body.count("revision"),
      ...(body.has("job") ? { job: body.text("job") } : {}),
      ...(body.has("trigger") ? { trigger: body.text("trigger", LONGEST_TRIGGER) } : {}),
      ...(body.has("expression") || body.has("dialect") || body.has("timeZone") ? readWhen(body) : {}),
      ...(input === undefined ? {} : { input }),
      ...(body.has("misfire") ? { misfire: body.oneOf("misfire", MISFIRES) } : {}),
      ...(body.has("overlap") ? { overlap: body.oneOf("overlap", OVERLAPS) } : {}),
      ...(description === undefined ? {} : { description }),
    };
  },
  audit: withoutInput,
  async handle({ parts }, { input: text, ...changes }) {
    await withFields(async () => {
      dynamicOnly(await findSchedule(parts, changes.id));
      // A blank text takes the input away; one that was not sent leaves it as it is.
      const input = text === undefined ? undefined : (readInput(text, parts.isHidden) ?? { value: undefined });
      await editorOf(parts).update({ ...changes, ...(input === undefined ? {} : { input }) });
    });
    return { done: true };
  },
};

/** `api/schedules/remove` */
export const removeSchedule: OperateRoute<"api/schedules/remove"> = {
  method: "POST",
  permission: "operate",
  parse: readId,
  async handle({ parts }, { id }) {
    const editor = editorOf(parts);
    dynamicOnly(await findSchedule(parts, id));
    await editor.remove(id);
    return { done: true };
  },
};

const DRAFT = ["job", "trigger", "expression", "dialect", "timeZone", "input", "misfire", "overlap", "description"];

function readWhen(body: BodyReader) {
  return {
    expression: body.text("expression"),
    dialect: body.oneOf("dialect", DIALECTS),
    timeZone: body.text("timeZone"),
  };
}

/** A trigger says all by itself. */
function readTriggerText(body: BodyReader) {
  body.only(...DRAFT.filter((name) => !["expression", "dialect", "timeZone"].includes(name)), "id", "paused");
  return { trigger: body.text("trigger", LONGEST_TRIGGER) };
}

/** Inputs can be private: the log says that there was one, not what it is. */
function withoutInput({ input, ...rest }: { readonly input?: string }): object {
  return input === undefined || input.trim() === "" ? rest : { ...rest, input: "(not logged)" };
}

function preview(
  expression: string,
  dialect: DialectChoice,
  timeZone: string,
  hashKey: string,
  now: number,
): SchedulePreview {
  const options = { dialect, timeZone: canonicalZone(timeZone), hashKey };
  const explained = explainCron(expression, { ...options, from: new Date(now), count: FIRES_PREVIEWED });
  const fires = explained.fires.map(({ at, local, offset }) => ({ at: at.getTime(), local, offset }));
  return { problems: [], description: explained.description, fires, warnings: explained.warnings };
}

function previewTrigger(text: string, hashKey: string, now: number): SchedulePreview {
  const { trigger, timeZone } = readTrigger(text);
  const keyed = withHashKey(trigger, hashKey);
  const upcoming = keyed.upcoming(FIRES_PREVIEWED, new Date(now));
  const fires = upcoming.map((at) => ({ ...explainFire(at, timeZone), at: at.getTime() }));
  const warnings = fires.length === 0 ? ["It never fires again."] : [];
  return { problems: [], description: keyed.describe(), fires, warnings };
}

/** Zones are kept for good once used, and names come in any spelling: each is looked up under its one name. */
function canonicalZone(name: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    // Not a zone: whoever reads the expression says so, with the nearest name.
    if (error instanceof RangeError) return name;
    throw error;
  }
}

function editorOf({ schedules: desk }: DashboardParts): ScheduleEditor {
  if (desk?.editor !== undefined) return desk.editor;
  throw new Refusal(409, "Nothing in this process knows jobs and schedules, so none can be made or changed here.");
}

function dynamicOnly({ id, source }: StoredSchedule): void {
  if (source === "dynamic") return;
  throw new Refusal(
    409,
    `Schedule ${id} is declared in code, so it is changed there: the next start would undo a change made here.`,
    "NS_SCHEDULE_INVALID",
  );
}
