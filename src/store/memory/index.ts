/** `nightshift/memory`: a store in this process's memory. */
export { type MemoryOptions, memory } from "./memory-store.ts";
