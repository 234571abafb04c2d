import { storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { ofMemoryShards } from "../../support/stores-under-test.ts";

storeConformance("two shards of memory", ofMemoryShards);
