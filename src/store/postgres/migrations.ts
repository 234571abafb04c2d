/** The migrations, in their order. What was released is never changed: a correction is another migration. */
import { claim } from "./schema/claim.ts";
import { cancel, pause, retry, runNow } from "./schema/control.ts";
import { crowd } from "./schema/crowd.ts";
import { enqueue } from "./schema/enqueue.ts";
import { enqueueAndWork, standsFree } from "./schema/enqueue-and-work.ts";
import { era } from "./schema/era.ts";
import { prune, sweep } from "./schema/forget.ts";
import { importJobs } from "./schema/import.ts";
import { maintain, makeDay, makeDays } from "./schema/maintain.ts";
import { retire } from "./schema/retire.ts";
import { fire, removeSchedules, saveSchedules } from "./schema/schedules.ts";
import { held, letGo, settle, squeeze } from "./schema/settle.ts";
import { tables } from "./schema/tables.ts";
import { foldTally, handBack, promote, rescue } from "./schema/upkeep.ts";
import { fits, work } from "./schema/work.ts";

/** One step of the schema. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Statements without parameters, run in order inside one transaction. */
  readonly statements: readonly string[];
  /**
   * Whether an application that knows only the migrations before this one may go on working beside it. Such a step
   * only adds: tables, columns with defaults, functions under new names. One that is not compatible takes away the
   * functions that it changes: versions are compared when a store is opened, and whoever has it open must fail, not go wrong.
   */
  readonly compatible: boolean;
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: "jobs, schedules, leadership",
    compatible: false,
    statements: [
      ...[
        tables,
        era,
        enqueue,
        held,
        squeeze,
        letGo,
        settle,
        fits,
        work,
        claim,
        enqueueAndWork,
        standsFree,
        promote,
        rescue,
        handBack,
        foldTally,
      ],
      ...[
        cancel,
        retry,
        runNow,
        pause,
        prune,
        sweep,
        saveSchedules,
        removeSchedules,
        fire,
        makeDay,
        maintain,
        makeDays,
        retire,
      ],
      ...[importJobs, crowd],
    ],
  },
];
