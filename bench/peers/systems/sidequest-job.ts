/**
 * Sidequest finds a job's class by its file, and loads that file once more even where it runs jobs in the worker's own
 * process: so the handler is told through a channel, not through a variable of this module.
 */
import { channel } from "node:diagnostics_channel";
import { Job } from "sidequest";
import type { Payload } from "../system.ts";

export const done = "nightshift.bench.sidequest";

export class Noop extends Job {
  override async run(payload: Payload): Promise<void> {
    channel(done).publish(payload);
  }
}
