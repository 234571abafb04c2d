/** Under a list of jobs: which of how many are shown, and the way to the others. */
import type { JobCount, JobsFilter, JobsView } from "../../api.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { exact } from "../format.ts";
import { hrefTo, type PageContext } from "../page.ts";

/** A count is that old before it is taken anew, in milliseconds. */
const STALE = 10_000;
const EVERYTHING = "1000000";

/** How many jobs a list has in all: a page or two need not be counted, ten thousand are, more on demand. */
export class ListSize {
  readonly #filter: JobsFilter;
  readonly #context: PageContext;
  #counted: JobCount | null = null;
  #at = Number.NEGATIVE_INFINITY;
  #everything = false;
  #counting = false;

  constructor(filter: JobsFilter, context: PageContext) {
    this.#filter = filter;
    this.#context = context;
  }

  /** Takes a new page; what has to be counted is asked for, and shown when it is there. */
  follow(jobs: JobsView): void {
    if (!this.#context.params.has("cursor") && jobs.next === null) {
      this.#counted = { count: jobs.items.length, exact: true };
    } else if (!this.#counting && performance.now() - this.#at > STALE) void this.#count();
  }

  view(jobs: JobsView): Child {
    const { params } = this.#context;
    const query = Object.fromEntries(params);
    const isFirst = !params.has("cursor");
    const from = firstOf(params);
    const older = { ...query, cursor: jobs.next, from: from === null ? null : String(from + jobs.items.length) };
    return h(
      "nav",
      { class: "pager", "aria-label": "Pages" },
      h(
        "span",
        { class: "pager-size", role: "status" },
        jobs.items.length > 0 && rangeText(from, jobs.items.length, this.#counted),
      ),
      this.#more(),
      h("span", { class: "pager-gap" }),
      !isFirst && h("a", { href: hrefTo("jobs", { ...query, cursor: null, from: null }) }, "Newest"),
      jobs.next !== null && h("a", { href: hrefTo("jobs", older), rel: "next" }, "Older"),
    );
  }

  #more(): Child {
    if (this.#counted === null || this.#counted.exact || this.#everything)
      return this.#counting && this.#everything && "counting …";
    const count = () => {
      this.#everything = true;
      void this.#count();
      this.#context.update();
    };
    return h("button", { type: "button", class: "button small", onclick: count }, "Count them");
  }

  /** A count that fails leaves the list without one: the list itself says when the store is away. */
  async #count(): Promise<void> {
    const everything = this.#everything;
    this.#counting = true;
    let counted: JobCount | null = null;
    try {
      counted = await read("api/jobs/count", { ...this.#filter, upTo: everything ? EVERYTHING : "" });
    } catch (error) {
      if (everything) this.#context.say(error instanceof Error ? error.message : String(error));
    }
    // Asked for more meanwhile: that answer is to come.
    if (everything !== this.#everything) return;
    this.#counted = counted;
    this.#counting = false;
    this.#at = performance.now();
    this.#context.update();
  }
}

/** Where the page stands in the list, from 1; null for an address that does not say. */
function firstOf(params: URLSearchParams): number | null {
  if (!params.has("cursor")) return 1;
  const from = Number(params.get("from"));
  return Number.isSafeInteger(from) && from > 0 ? from : null;
}

/** `1–50 of 12,345`, `51–100 of more than 10,000`, `1–50` while nothing is known. */
export function rangeText(from: number | null, length: number, counted: JobCount | null): string {
  const last = (from ?? 1) + length - 1;
  const range = from === null ? exact(length) : `${exact(from)}–${exact(last)}`;
  if (counted === null) return range;
  if (counted.exact) return `${range} of ${exact(Math.max(counted.count, last))}`;
  return `${range} of more than ${exact(Math.max(counted.count, last))}`;
}
