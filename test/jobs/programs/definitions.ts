/** The jobs that the process tests share between the test and its children. */
import { appendFileSync } from "node:fs";
import { defineJob, unchecked } from "../../../src/index.ts";

/** Kills its own process, as a crash in native code or the out-of-memory killer would. */
export const poison = defineJob({
  name: "poison",
  maxCrashes: 2,
  run() {
    console.log("poison begins");
    process.kill(process.pid, "SIGKILL");
  },
});

/** Runs until its signal is aborted; with `LONG=quick` it is done at once. */
export const long = defineJob({
  name: "long",
  async run(_input, { signal, attempt }) {
    console.log(`long begins attempt ${attempt}`);
    if (process.env["LONG"] === "quick") return;
    await new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        console.log(`long was told ${signal.reason.code}`);
        reject(signal.reason);
      });
    });
  },
});

/** Leaves a line in a file: an effect that can be counted. */
export const note = defineJob({
  name: "note",
  input: unchecked<{ file: string; index: number }>(),
  async run({ file, index }) {
    appendFileSync(file, `${index}\n`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  },
});

export const definitions = [poison, long, note];
