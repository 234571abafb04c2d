/**
 * `nightshift/store`: the contract between the library and its stores, for who writes a store or a tool on top of one.
 * Prove a store with `nightshift/testing/store-conformance`.
 */
export * from "./contract.ts";
