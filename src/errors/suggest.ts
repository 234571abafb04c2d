/** "Did you mean": the known name nearest to a mistyped one. */

/** The candidate nearest to `given`, or undefined when none is near enough to be meant. */
export function suggest(given: string, candidates: Iterable<string>): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  // Never all of it: any letter is one change away from any other.
  let bestDistance = Math.min(wanted.length, Math.max(1, Math.floor(wanted.length / 3)) + 1);
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or nothing. Made to be appended to a message. */
export function didYouMean(given: string, candidates: Iterable<string>): string {
  const near = suggest(given, candidates);
  return near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`;
}

/** ` Did you mean "x"?`, or where none is near all that there are: ` There are "x" and "y".`. Made to be appended to a message. */
export function nearestOrAll(given: string, candidates: readonly string[], elsewhere: readonly string[] = []): string {
  const near = didYouMean(given, [...candidates, ...elsewhere]);
  if (near !== "" || candidates.length === 0) return near;
  const names = candidates.map((name) => JSON.stringify(name));
  const last = names.pop();
  return names.length === 0 ? ` There is ${last}.` : ` There are ${names.join(", ")} and ${last}.`;
}

/** Damerau-Levenshtein (adjacent swaps count one), given up once it must exceed `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
