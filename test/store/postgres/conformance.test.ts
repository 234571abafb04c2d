import { storeConformance } from "../../../src/testing/store-conformance/index.ts";
import { postgresUrl, rawClient } from "../../support/postgres.ts";
import { storesOn } from "./under-test.ts";

const create = storesOn(1, (connectionString, [schema = ""]) => ({ connectionString, schema, connections: 4 }));

storeConformance("postgres", {
  create: async () => ({ ...(await create()), begin }),
});

async function begin() {
  const client = await rawClient(await postgresUrl());
  await client.query("begin");
  const end = async (how: "commit" | "rollback") => {
    await client.query(how);
    await client.end();
  };
  return { tx: client, commit: () => end("commit"), rollback: () => end("rollback") };
}
