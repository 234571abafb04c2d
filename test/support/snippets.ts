/** Finds the examples in documentation comments and in Markdown, so that tests can compile and run them. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One fenced block. */
export interface Snippet {
  /** Relative to the repository. */
  readonly file: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** The word after the fence: `ts`, `sh`. */
  readonly language: string;
  /** What else stands behind it, for example `app.ts`. */
  readonly info: string;
  readonly code: string;
}

const FENCE = /^(\s*(?:\* ?)?)```(\w+)[ \t]*(.*)$/;

/** Every fenced block of these files, in order. */
export function snippets(patterns: readonly string[]): readonly Snippet[] {
  return globSync([...patterns], { cwd: root })
    .sort()
    .flatMap((file) => inFile(file, readFileSync(join(root, file), "utf8")));
}

function inFile(file: string, text: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const [, margin = "", language, info = ""] = FENCE.exec(lines[index] ?? "") ?? [];
    if (language === undefined) continue;
    const line = index + 1;
    const code: string[] = [];
    for (index++; index < lines.length && !(lines[index] ?? "").trimEnd().endsWith("```"); index++) {
      const current = lines[index] ?? "";
      code.push(margin.includes("*") ? current.replace(/^\s*\* ?/, "") : current.slice(margin.length));
    }
    found.push({ file, line, language, info: info.trim(), code: code.join("\n") });
  }
  return found;
}
