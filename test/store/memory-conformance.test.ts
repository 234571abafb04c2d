import { storeConformance } from "../../src/testing/store-conformance/index.ts";
import { ofMemory } from "../support/stores-under-test.ts";

storeConformance("memory", ofMemory);
