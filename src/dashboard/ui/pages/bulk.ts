/** What can be done to several jobs at once: one action for each state. */
import type { JobState, JobsView } from "../../api.ts";
import { type Child, h } from "../dom.ts";
import { count } from "../format.ts";
import type { PageContext } from "../page.ts";
import { button } from "../parts.ts";

/** Which jobs are picked, and whether it was asked what is to be done to them. */
export interface Selection {
  readonly ids: Set<string>;
  confirming: boolean;
}

/** An action on a list of jobs. */
export interface BulkAction {
  readonly label: string;
  readonly run: (context: PageContext, ids: readonly string[]) => Promise<void>;
  readonly danger: boolean;
}

/** What makes sense for jobs of a state. */
export function actionOf(state: JobState): BulkAction | null {
  switch (state) {
    case "succeeded":
    case "dead":
    case "cancelled":
      return {
        label: state === "dead" ? "Retry" : "Run again",
        danger: false,
        run: (context, ids) =>
          context.act(
            "api/jobs/retry",
            { ids },
            ({ done }) => `${count(done.length)} of ${count(ids.length)} made ready again.`,
          ),
      };
    case "scheduled":
      return {
        label: "Run now",
        danger: false,
        run: (context, ids) =>
          context.act(
            "api/jobs/run-now",
            { ids },
            ({ done }) => `${count(done.length)} of ${count(ids.length)} made ready.`,
          ),
      };
    default:
      return {
        label: "Cancel",
        danger: true,
        run: (context, ids) =>
          context.act("api/jobs/cancel", { ids }, ({ results }) => {
            const asked = results.filter((result) => result === "requested").length;
            const over = results.filter((result) => result === "cancelled").length;
            return `${count(over)} cancelled${asked > 0 ? `, ${count(asked)} running ones were asked to stop` : ""}.`;
          }),
      };
  }
}

/** The bar above a list: pick all, and do it. */
export function bulkBar(jobs: JobsView, selection: Selection, bulk: BulkAction, context: PageContext): Child {
  const { ids: selected } = selection;
  const all = jobs.items.every((job) => selected.has(job.id));
  const toggle = () => {
    for (const job of jobs.items) {
      if (all) selected.delete(job.id);
      else selected.add(job.id);
    }
    selection.confirming = false;
    context.update();
  };
  const confirm = (on: boolean) => {
    selection.confirming = on;
    context.update();
  };
  const run = () => {
    const ids = [...selected];
    selected.clear();
    selection.confirming = false;
    void bulk.run(context, ids);
  };
  const wanted = selected.size === 0 ? bulk.label : `${bulk.label} ${selected.size} selected`;
  return h(
    "div",
    { class: "bulk" },
    h("label", null, h("input", { type: "checkbox", checked: all, onchange: toggle }), "Select all on this page"),
    // What cannot be taken back is asked twice.
    selection.confirming
      ? [
          button(`Yes, ${bulk.label.toLowerCase()} ${selected.size}`, run, { danger: true }),
          button("Keep them", () => confirm(false)),
        ]
      : button(wanted, bulk.danger ? () => confirm(true) : run, { disabled: selected.size === 0, danger: bulk.danger }),
  );
}
