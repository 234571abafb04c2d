/** Which queues to claim from, and how much, when slots are few: pure. */
import type { Want } from "../../store/contract.ts";
import type { Lane } from "./lane.ts";

/**
 * Shares free slots among the queues that may have jobs, beginning with another one each time, so that neither a queue
 * is starved nor more is claimed than can begin.
 */
export function shareOut(
  lanes: readonly Lane[],
  free: number,
  turn: number,
  now: number,
  storeTime: number,
): readonly Want[] {
  const wants: Want[] = [];
  const open = lanes.filter((lane) => !lane.dry);
  // Jobs that wait while slots are free belong to a queue that is at its own limit: they take none of these slots.
  let left = Math.max(0, free);
  for (let index = 0; index < open.length; index++) {
    const lane = open[(turn + index) % open.length];
    if (lane === undefined) continue;
    const share = Math.min(Math.ceil(left / (open.length - index)), Math.max(0, lane.limit - lane.running));
    const limit = lane.wanted(share, now, storeTime);
    if (limit <= 0) continue;
    wants.push({ queue: lane.queue, limit });
    left -= Math.min(left, share);
  }
  return wants;
}
