import { storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { ofSqlite } from "../../support/stores-under-test.ts";

storeConformance("sqlite", ofSqlite);
