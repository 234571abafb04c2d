/** Compares the engine with the slow truth over one window, forwards and backwards. */
import assert from "node:assert/strict";
import { cron, type Trigger } from "../../../src/time/index.ts";
import { bruteForce, type Gap, HOUR, type TimeExpression, type Window } from "./brute-force.ts";

/** Fails when the engine and the walk differ anywhere in the window. Returns how many fire times were compared. */
export function compareWindow(window: Window, expression: TimeExpression, gap: Gap): number {
  const from = (window.instants[0] ?? 0) + 26 * HOUR;
  const to = (window.instants.at(-1) ?? 0) - 26 * HOUR;
  const expected = bruteForce(window, expression, gap).filter((at) => at >= from && at <= to);
  const trigger = cron(expression.text, { timeZone: window.zone, gap });
  const what = `${expression.text} in ${window.zone}, gap ${gap}`;
  assert.deepEqual(iso(forwards(trigger, from, to)), iso(expected), what);
  assert.deepEqual(iso(backwards(trigger, from, to)), iso(expected), `${what}, backwards`);
  return expected.length;
}

/** The fire times from `from` to `to`, strictly increasing. */
export function forwards(trigger: Trigger, from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = trigger.next(new Date(from), { inclusive: true }); at && at.getTime() <= to; at = trigger.next(at)) {
    assert.ok(at.getTime() > (found.at(-1) ?? -Infinity), `${trigger} moves forward`);
    found.push(at.getTime());
  }
  return found;
}

/** The same, found backwards. */
export function backwards(trigger: Trigger, from: number, to: number): number[] {
  const found: number[] = [];
  for (
    let at = trigger.previous(new Date(to), { inclusive: true });
    at && at.getTime() >= from;
    at = trigger.previous(at)
  ) {
    assert.ok(at.getTime() < (found.at(-1) ?? Infinity), `${trigger} moves backward`);
    found.push(at.getTime());
  }
  return found.reverse();
}

export function iso(instants: readonly number[]): string[] {
  return instants.map((instant) => new Date(instant).toISOString());
}
