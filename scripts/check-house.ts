/**
 * The house rules that no linter knows: imports go down the list of rooms only, and rooms on one floor do not know
 * each other. The floors are those of CONTRIBUTING.md. Decisions are told apart by their numbers. What
 * documents link to and name is there.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** From the ground up. A room may import from the floors below it, and from `errors`, the cellar. */
const FLOORS: readonly (readonly string[])[] = [
  ["errors"],
  ["time"],
  ["services"],
  ["telemetry"],
  ["hosting"],
  ["store"],
  ["jobs"],
  ["scheduling"],
  ["dashboard"],
  ["integrations"],
  ["testing"],
  ["cli"],
];
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));
/** Stores are built behind the contract: nobody between the contract and the front door may know one of them. */
const STORES = ["store/memory", "store/sqlite", "store/postgres", "store/sharded"];
const MAY_KNOW_A_STORE = ["store", "testing", "cli"];

const problems: string[] = [];
for (const file of globSync("src/**/*.ts")) {
  const room = file.split("/")[1] ?? "";
  if (!file.slice("src/".length).includes("/")) continue; // the front door sees everything
  const floor = floorOf(room);
  if (floor < 0) problems.push(`${file}: ${room} is not a room of the house`);
  for (const match of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)) {
    const target = normalize(join(dirname(file), match[1] ?? ""));
    const inside = target.slice("src/".length);
    const to = inside.split("/")[0] ?? "";
    if (!inside.includes("/")) problems.push(`${file} imports ${target}: a room does not use the front door`);
    else if (to !== room && floorOf(to) >= floor) problems.push(`${file} imports ${target}: that is up the stairs`);
    else if (STORES.some((store) => inside.startsWith(`${store}/`)) && !MAY_KNOW_A_STORE.includes(room)) {
      problems.push(`${file} imports ${target}: only the contract may be known here`);
    }
  }
}
const decisions = new Map<string, string>();
for (const file of globSync("docs/decisions/*.md").sort()) {
  const number = file.slice("docs/decisions/".length).slice(0, 3);
  const other = decisions.get(number);
  if (other !== undefined) problems.push(`${file} has the number of ${other}`);
  else if (!readFileSync(file, "utf8").startsWith(`# ${number}: `))
    problems.push(`${file} is not titled "# ${number}: …"`);
  decisions.set(number, file);
}
// A document that names a file that is not there misleads whoever looks for it.
const PAGES = ["*.md", "docs/**/*.md", "bench/**/*.md", "examples/**/*.md"];
for (const file of globSync(PAGES, { exclude: (name) => name === "node_modules" })) {
  const text = readFileSync(file, "utf8");
  for (const [, to = ""] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
    if (!existsSync(join(dirname(file), to))) problems.push(`${file} links to ${to}, which is not there`);
  }
  for (const [, path = ""] of text.matchAll(/`((?:src|test|docs|bench|scripts|examples)\/[\w./*-]+)`/g)) {
    const found = ["", ".test.ts", ".ts"].some((ending) => globSync(path + ending).length > 0);
    if (!found) problems.push(`${file} names ${path}, which is not there`);
  }
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
