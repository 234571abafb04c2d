/** Results as a table, and their place in RESULTS.md: a section per group, replaced when that group is measured again. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import type { Measured, Unit } from "./measure.ts";

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));
const HEAD = `# Measured

Written by \`npm run bench\`. Contenders take turns; a figure is the median of the repetitions, with the lowest and the
highest beside it. Absolute figures belong to the machine and its other load: only the ratios within one table count.
`;

/** Units whose figures are compared by their ratio. */
const COMPARED: readonly Unit[] = ["jobs/s", "µs", "bytes", "MiB"];

/** Writes a group's section; the text goes before the table. */
export function writeSection(
  group: string,
  about: readonly string[],
  results: readonly Measured[],
  text: readonly string[] = [],
): void {
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : HEAD;
  const begin = `<!-- begin ${group} -->`;
  const end = `<!-- end ${group} -->`;
  const machine = `${new Date().toISOString().slice(0, 10)} · Node ${process.version} · ${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"} · load average ${loadavg()[0]?.toFixed(1)}`;
  const section = [begin, `## ${group}`, "", [machine, ...about].join(" · "), "", ...text, tableOf(results), end].join(
    "\n",
  );
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  const after =
    from < 0 ? `${before.trimEnd()}\n\n${section}\n` : before.slice(0, from) + section + before.slice(to + end.length);
  writeFileSync(RESULTS, after);
}

/** A table in Markdown: ours, then each other with the ratio ours / its. */
export function tableOf(results: readonly Measured[]): string {
  const rows = results.flatMap(({ workload, unit, contenders }) => {
    const [ours, ...others] = contenders;
    return [ours, ...others].flatMap((contender) => {
      if (contender === undefined || ours === undefined) return [];
      const ratio = contender === ours || !COMPARED.includes(unit) ? "" : (ours.median / contender.median).toFixed(2);
      const range = `${show(contender.low)} – ${show(contender.high)}`;
      return `| ${contender === ours ? workload : ""} | ${contender.name} | ${show(contender.median)} ${unit} | ${range} | ${ratio} |`;
    });
  });
  return ["| workload | by | median | range | ours / its |", "|---|---|---:|---:|---:|", ...rows].join("\n");
}

export function show(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString("en-US");
  return figure.toFixed(figure >= 10 ? 1 : 2);
}
