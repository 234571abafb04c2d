/** `nightshift export`, `import` and `move`. */
import { statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { show } from "../errors/index.ts";
import { exportStore, importStore, moveStore } from "../store/operations/index.ts";
import { readAddress, storeAt } from "./address.ts";
import { type Command, needed, noPositionals, readArguments } from "./command.ts";
import { fileToRead, fileToWrite } from "./files.ts";

const EXPORT_USAGE = `nightshift export --store sqlite:shop.db [--schema name] [--live] [--to file]
  Writes paused queues, calendars, schedules and jobs with their history as lines of JSON, to standard output or a file.
  --live   only jobs that are not over`;

export const exportCommand: Command = {
  about: "a store as lines of JSON",
  usage: EXPORT_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema", "to"], flags: ["live"] }, EXPORT_USAGE);
    noPositionals(given, EXPORT_USAGE);
    const address = readAddress(needed(given, "store", EXPORT_USAGE), given.value("schema"));
    const store = storeAt(address, { existing: true, patient: true });
    const lines = exportStore(store, { finished: !given.flag("live") });
    const to = given.value("to");
    if (to !== undefined) {
      await pipeline(Readable.from(lines), await fileToWrite(to, { fresh: true }));
      terminal.say(`${to}: ${statSync(to).size} bytes, whole.`);
    } else for await (const line of lines) await terminal.write(line);
    return 0;
  },
};

const IMPORT_USAGE = `nightshift import --store postgres://app@db/shop [--schema name] [--from file] [--mapping file]
  Reads what export wrote, from standard input or a file. Run again after an interruption, it makes no second job.
  --mapping   a file of lines {"from": old id, "to": new id}`;

export const importCommand: Command = {
  about: "what export wrote, into a store",
  usage: IMPORT_USAGE,
  async run(args, terminal) {
    const given = readArguments(args, { values: ["store", "schema", "from", "mapping"] }, IMPORT_USAGE);
    noPositionals(given, IMPORT_USAGE);
    const address = readAddress(needed(given, "store", IMPORT_USAGE), given.value("schema"));
    const from = given.value("from");
    const input = from === undefined ? terminal.input : await fileToRead(from);
    const mapping = await mappingTo(given.value("mapping"));
    const report = await importStore(storeAt(address, { existing: false }), input, { onJob: mapping.add });
    await mapping.end();
    const { jobs, existed, queues, calendars, schedules, keptSchedules } = report;
    terminal.say(`${jobs} jobs imported, ${existed} were there already.`);
    terminal.say(
      `Schedules: ${schedules}, and ${keptSchedules} kept as they were. Calendars: ${calendars}. Paused queues: ${queues}.`,
    );
    return 0;
  },
};

const MOVE_USAGE = `nightshift move --from sqlite:shop.db --to postgres://app@db/shop [--from-schema name] [--to-schema name]
               [--finished] [--mapping file]
  Several databases as one target are --to shards:shards.json, a file with what postgres({ shards }) takes.
  Moves jobs that are not over, schedules, calendars and paused queues. Refuses while processes use the source. What has
  moved is cancelled in the source, its queues and schedules stay paused there (nightshift resume). Safe to interrupt
  and run again.
  --finished   jobs that are over go along, with their history
  --mapping    a file of lines {"from": old id, "to": new id}`;

export const moveCommand: Command = {
  about: "everything from one store to another",
  usage: MOVE_USAGE,
  async run(args, terminal) {
    const values = ["from", "to", "from-schema", "to-schema", "mapping"];
    const given = readArguments(args, { values, flags: ["finished"] }, MOVE_USAGE);
    noPositionals(given, MOVE_USAGE);
    const from = readAddress(needed(given, "from", MOVE_USAGE), given.value("from-schema"));
    const to = readAddress(needed(given, "to", MOVE_USAGE), given.value("to-schema"));
    const [source, target] = [storeAt(from, { existing: true }), storeAt(to, { existing: false })];
    const mapping = await mappingTo(given.value("mapping"));
    let told = 0;
    const report = await moveStore(source, target, {
      finished: given.flag("finished"),
      onJob: mapping.add,
      onProgress: (jobs) => {
        if (jobs < told + 10_000) return;
        told = jobs;
        terminal.say(`${jobs} jobs so far ...`);
      },
    });
    await mapping.end();
    const { jobs, verified, queues, calendars, schedules, keptSchedules, otherSchedules, stayPaused } = report;
    terminal.say(`${jobs} jobs moved; ${verified} jobs of the source were found in the target, none is missing.`);
    terminal.say(
      `Schedules: ${schedules}, and ${keptSchedules} were there already. Calendars: ${calendars}. Paused queues: ${queues}.`,
    );
    if (otherSchedules.length > 0) {
      const ids = otherSchedules.map((id) => show(id)).join(", ");
      const message = `Of these schedules the target has others under the same ids, which stay as they are there: ${ids}.`;
      terminal.say(`${message} The source keeps its own, which fire no more: look which of the two is wanted.`);
    }
    if (stayPaused > 0) {
      const back = "Should it be worked with again: nightshift resume --store <it> --all";
      terminal.say(`Queues that stay paused in the source, so that nothing runs there: ${stayPaused}. ${back}.`);
    }
    return 0;
  },
};

/** A file of old and new ids; nothing when none is wanted. A run after an interruption tells all of them again. */
async function mappingTo(path: string | undefined) {
  if (path === undefined) return { add: () => undefined, end: async () => undefined };
  const file = await fileToWrite(path, { fresh: false });
  const broken = new Promise<never>((_resolve, reject) => file.once("error", reject));
  broken.catch(() => undefined); // told by end(); until then nobody waits for it
  return {
    add: (from: string, to: string) => void file.write(`${JSON.stringify({ from, to })}\n`),
    end: () => Promise.race([broken, new Promise<void>((resolve) => file.end(() => resolve()))]),
  };
}
