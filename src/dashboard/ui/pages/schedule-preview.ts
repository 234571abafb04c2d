/** What a trigger will do, asked for as it is typed: the next fires with their offsets, and turns of the clock that matter. */
import type { FieldProblem, SchedulePreview, ScheduleWhen } from "../../api.ts";
import { read } from "../client.ts";
import { type Child, h } from "../dom.ts";
import { wallClock } from "../format.ts";
import { empty, moment } from "../parts.ts";

/** Long enough for the next key, short enough to seem at once. */
const PAUSE = 250;

type Asked = ScheduleWhen & { readonly id: string };

/** The newest answer for what stands in the form; answers that were overtaken are dropped. */
export class Preview {
  readonly #update: () => void;
  #answer: SchedulePreview | null = null;
  #failure: string | null = null;
  #asking: AbortController | undefined;
  #timer: number | undefined;
  #waiting = false;

  /** @param update called when there is another answer */
  constructor(update: () => void) {
    this.#update = update;
  }

  /** What is wrong with what stands in the form; nothing while it is being judged. */
  get problems(): readonly FieldProblem[] {
    return this.#waiting ? [] : (this.#answer?.problems ?? []);
  }

  /** Asks once the typing pauses, or at once. */
  ask(asked: Asked, pause = PAUSE): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#failure = null;
    this.#waiting = ("trigger" in asked ? asked.trigger : asked.expression).trim() !== "";
    if (this.#waiting) this.#timer = setTimeout(() => void this.#load(asked), pause);
    else this.#answer = null;
  }

  view(now: number): Child {
    if (this.#failure !== null) return empty("No preview now.", this.#failure);
    const answer = this.#answer;
    if (answer === null && this.#waiting) return empty("Looking …");
    if (answer === null) return empty("Not written yet.", "The next five times show here as you type.");
    if (answer.problems.length > 0) return empty("It cannot be read yet.", "The field says what is wrong.");
    return [
      h("p", { class: "said" }, answer.description),
      h(
        "ol",
        { class: "plain fires" },
        answer.fires.map(({ at, local, offset }) =>
          h(
            "li",
            { key: String(at) },
            h("span", { class: "clock" }, wallClock(local), " ", h("span", { class: "quiet" }, offset)),
            moment(at, now),
          ),
        ),
      ),
      answer.warnings.map((warning) => h("p", { class: "caution", key: warning }, warning)),
    ];
  }

  async #load(asked: Asked): Promise<void> {
    const mine = new AbortController();
    this.#asking = mine;
    try {
      this.#answer = await read("api/schedules/preview", { ...asked }, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    this.#waiting = false;
    this.#update();
  }
}
