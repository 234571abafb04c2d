/** The kinds of triggers that a form can write, other than cron: their fields, and the way to and from their stored form. */

/** What a form writes. `json` is whatever has no fields of its own. */
export type Kind = "cron" | "interval" | "calendar-interval" | "daily-interval" | "recurrence" | "once" | "json";

export const KINDS: readonly (readonly [Kind, string])[] = [
  ["cron", "By a cron expression"],
  ["interval", "Every so often, by elapsed time"],
  ["calendar-interval", "Every so many days, weeks, months, years"],
  ["daily-interval", "Every so often in a daily window"],
  ["recurrence", "By a recurrence rule (RFC 5545)"],
  ["once", "Once"],
  ["json", "Any trigger, as JSON"],
];

type Reading = "text" | "number" | "duration" | "instant" | "reading" | "weekdays";

/** One field of a kind. */
export interface PartSpec {
  readonly name: string;
  readonly label: string;
  readonly reads: Reading;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  readonly type?: "text" | "time" | "datetime-local";
  readonly wide?: boolean;
  /** What a new one starts with. */
  readonly start?: string;
  /** What is said when it is empty and may not be. */
  readonly needed?: string;
}

const WHEN = "Say when it begins.";
const START = { name: "start", label: "From", type: "datetime-local", reads: "reading" } as const;
const EVERY: PartSpec = {
  name: "every",
  label: "Every",
  reads: "duration",
  placeholder: "90m",
  hint: "30s, 10m, 2h, 1d, 1h30m",
  needed: "Say how often, such as 90m.",
};

export const PARTS: Readonly<Record<Exclude<Kind, "cron" | "json">, readonly PartSpec[]>> = {
  interval: [
    EVERY,
    { ...START, reads: "instant", hint: "Empty: at the multiples since 1970, the same on every machine." },
    { name: "count", label: "How many times in all", reads: "number", hint: "Empty: for ever. Needs a beginning." },
  ],
  "calendar-interval": [
    { name: "amount", label: "Every", reads: "number", placeholder: "2", start: "1" },
    { name: "unit", label: "Unit", reads: "text", choices: ["day", "week", "month", "year"], start: "day" },
    {
      ...START,
      wide: true,
      needed: WHEN,
      hint: "The first time. The hour on the clock stays, whatever daylight saving does.",
    },
  ],
  "daily-interval": [
    { ...EVERY, placeholder: "10m" },
    { name: "weekdays", label: "On", reads: "weekdays", placeholder: "MON,TUE,WED,THU,FRI", hint: "Empty: every day." },
    { name: "from", label: "From", reads: "text", type: "time", start: "09:00" },
    { name: "to", label: "To", reads: "text", type: "time", start: "17:00" },
  ],
  recurrence: [
    {
      name: "rule",
      label: "Rule",
      reads: "text",
      placeholder: "FREQ=MONTHLY;BYDAY=-1FR",
      wide: true,
      needed: "Write a rule, such as FREQ=WEEKLY;INTERVAL=2.",
    },
    {
      ...START,
      wide: true,
      needed: WHEN,
      hint: "The first time, and the time of day where the rule does not say one.",
    },
  ],
  once: [{ ...START, name: "at", label: "At", reads: "instant", wide: true, needed: "Say when." }],
};

/** What stands in the fields. */
export type Parts = Readonly<Record<string, string>>;
interface Stored {
  readonly type: string;
  readonly [key: string]: unknown;
}

export function partsOf(kind: Kind): readonly PartSpec[] {
  return kind === "cron" || kind === "json" ? [] : PARTS[kind];
}

/** Times are one field to the server, whatever the kind calls them. */
export function fieldOf(name: string): string {
  return name === "at" ? "start" : name;
}

/** The fields of a new trigger of a kind. */
export function freshParts(kind: Kind): Parts {
  return Object.fromEntries(partsOf(kind).map(({ name, start }) => [name, start ?? ""]));
}

/** The first field that is empty and may not be, with what to say of it. */
export function missing(kind: Kind, parts: Parts): { readonly name: string; readonly message: string } | undefined {
  if (kind === "json") return parts["json"]?.trim() ? undefined : { name: "json", message: "Write a trigger as JSON." };
  const found = partsOf(kind).find(({ name, needed }) => needed !== undefined && !parts[name]?.trim());
  return found && { name: found.name, message: found.needed ?? "" };
}

/** Which kind a stored trigger is, and its fields; readings are of `timeZone`. */
export function readStored(text: string, timeZone: string): { readonly kind: Kind; readonly parts: Parts } {
  const stored = JSON.parse(text) as Stored;
  const kind = KINDS.find(([each]) => each === stored.type)?.[0] ?? "json";
  if (kind === "json") return { kind, parts: { json: JSON.stringify(stored, null, 2) } };
  return { kind, parts: Object.fromEntries(partsOf(kind).map((part) => [part.name, shown(part, stored, timeZone)])) };
}

/**
 * The trigger as text for the server. What was not touched stays as it is stored, and so does what has no field.
 *
 * @param opened what stood in the fields when the schedule was opened
 */
export function writeTrigger(kind: Kind, parts: Parts, timeZone: string, base: string | null, opened: Parts): string {
  if (kind === "json") return parts["json"] ?? "";
  const before = base === null ? null : (JSON.parse(base) as Stored);
  const kept = before?.type === kind ? before : null;
  const written: Record<string, unknown> = { ...(kept ?? {}), type: kind, timeZone };
  for (const { name, reads } of partsOf(kind)) {
    const value = (parts[name] ?? "").trim();
    if (kept !== null && parts[name] === opened[name]) continue;
    if (value === "") delete written[name];
    else
      written[name] =
        reads === "number" ? Number(value) : reads === "weekdays" ? value.toUpperCase().split(/[\s,]+/) : value;
  }
  return JSON.stringify(written);
}

function shown({ name, reads }: PartSpec, stored: Stored, timeZone: string): string {
  const value = stored[name];
  if (value === undefined || value === null) return "";
  if (reads === "duration" && typeof value === "number") return durationText(value);
  if (reads === "instant" && typeof value === "string") return readingOf(value, timeZone);
  return Array.isArray(value) ? value.join(",") : String(value);
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

function durationText(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => milliseconds % each === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}

/** What a clock in the zone shows at an instant: `2026-12-24T17:00:00`. */
function readingOf(instant: string, timeZone: string): string {
  const style = { timeZone, dateStyle: "short", timeStyle: "medium" } as const;
  return new Intl.DateTimeFormat("sv-SE", style).format(new Date(instant)).replace(" ", "T");
}
