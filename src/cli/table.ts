/** What commands print for people: columns, and how long ago. */
import { escapeControls } from "../telemetry/index.ts";
import { formatDuration } from "../time/index.ts";

/** How long ago, in whole seconds; blank for never. */
export function agoText(time: number | null, now: number): string {
  if (time === null) return "";
  const seconds = Math.max(0, Math.round((now - time) / 1_000));
  return seconds === 0 ? "now" : formatDuration(seconds * 1_000);
}

/** Columns as wide as they need; numbers to the right. What a store says cannot steer the terminal. */
export function table(
  head: readonly string[],
  given: readonly (readonly (string | number)[])[],
  empty: string,
): string {
  if (given.length === 0) return empty;
  const rows = given.map((row) => row.map((cell) => (typeof cell === "number" ? cell : escapeControls(cell))));
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => String(row[column]).length)));
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
