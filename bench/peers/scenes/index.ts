/** The scenes by their names. Each is played by all systems in turn before the next one, in this order. */
import type { Stage } from "../stage.ts";
import type { Entry } from "../systems/index.ts";
import { drain } from "./drain.ts";
import { enqueue } from "./enqueue.ts";
import { held } from "./held.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency.ts";
import { million } from "./million.ts";
import { sustained } from "./sustained.ts";

export interface Scene {
  /** About how long it takes with one system, for the estimate. */
  readonly seconds: number;
  /** Played in the first round only: it takes minutes, or its figures hardly differ from time to time. */
  readonly once?: boolean;
  takesPart(entry: Entry): boolean;
  play(stage: Stage): Promise<void>;
}

export const SCENES: Readonly<Record<string, Scene>> = { enqueue, drain, latency, sustained, idle, million, held };
