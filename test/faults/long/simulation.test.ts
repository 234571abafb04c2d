/**
 * Bad days that nobody has seen yet: other seeds with each run, on every kind of store. NIGHTSHIFT_SEED is the first of
 * them, to repeat a run; a test's name says its own.
 */
import { storeSimulation } from "../../../src/testing/store-conformance/index.ts";
import { ofMemory, ofMemoryShards, ofPostgres, ofPostgresShards, ofSqlite } from "../../support/stores-under-test.ts";

const DAYS = 25;
const first = Number(process.env["NIGHTSHIFT_SEED"] ?? Date.now() % 1_000_000_000);
const seeds = Array.from({ length: DAYS }, (_, day) => first + day);

storeSimulation("memory", ofMemory, seeds);
storeSimulation("sqlite", ofSqlite, seeds);
storeSimulation("two shards of memory", ofMemoryShards, seeds);
storeSimulation("postgres", ofPostgres, seeds);
storeSimulation("two shards of postgres", ofPostgresShards, seeds);
