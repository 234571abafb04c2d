/** `nightshift/operations`: what is done to whole stores. */
export { type ExportOptions, exportStore } from "./export.ts";
export { type ImportOptions, type ImportReport, importStore } from "./import.ts";
export { type MoveOptions, type MoveReport, moveStore } from "./move.ts";
