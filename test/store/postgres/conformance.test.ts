import { storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { ofPostgres } from "../../support/stores-under-test.ts";

storeConformance("postgres", ofPostgres);
