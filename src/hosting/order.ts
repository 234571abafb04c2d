/** The order in which services start: dependencies first, registration order as the tie-break. Stopping is the reverse. */

/** One thing to order, and the indices of those that must come before it. */
export interface Ordered {
  readonly name: string;
  readonly after: readonly number[];
}

/**
 * Levels of indices: all in a level may start together once the level before has. One level when nobody waits for anybody.
 *
 * @returns the levels, or the names along a circle
 */
export function levelsOf(items: readonly Ordered[]): { levels: number[][] } | { circle: string[] } {
  const level = new Map<number, number>();
  const path: number[] = [];
  const visit = (index: number): string[] | undefined => {
    if (level.has(index)) return undefined;
    const start = path.indexOf(index);
    if (start >= 0) return [...path.slice(start), index].map((each) => items[each]?.name ?? "");
    path.push(index);
    for (const before of items[index]?.after ?? []) {
      const circle = visit(before);
      if (circle !== undefined) return circle;
    }
    path.pop();
    level.set(index, Math.max(-1, ...(items[index]?.after ?? []).map((before) => level.get(before) ?? 0)) + 1);
    return undefined;
  };
  for (const index of items.keys()) {
    const circle = visit(index);
    if (circle !== undefined) return { circle };
  }
  const levels: number[][] = [];
  for (const index of items.keys()) (levels[level.get(index) ?? 0] ??= []).push(index);
  return { levels };
}

/** One after the other: dependencies first, and otherwise as registered, even when a later level could come earlier. */
export function sequenceOf(items: readonly Ordered[]): number[] {
  const sequence = new Set<number>();
  const visit = (index: number): void => {
    if (sequence.has(index)) return;
    for (const before of [...(items[index]?.after ?? [])].sort((a, b) => a - b)) visit(before);
    sequence.add(index);
  };
  for (const index of items.keys()) visit(index);
  return [...sequence];
}
