import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeVersionError } from "../../src/errors/node-version.ts";

test("a Node.js that is too old gets one sentence, with the version needed and the version found", () => {
  for (const version of ["18.20.4", "20.20.2", "22.12.0", "21.7.3"]) {
    const error = nodeVersionError(version);
    assert.equal(error?.code, "NS_NODE_VERSION");
    assert.equal(
      error?.stack,
      `NS_NODE_VERSION: Nightshift needs Node.js 22.13 or newer, this is ${version}. Install a current one: nodejs.org`,
    );
  }
});

test("supported versions are let through", () => {
  for (const version of ["22.13.0", "22.21.1", "23.0.0", "24.21.0", "26.0.0-nightly"]) {
    assert.equal(nodeVersionError(version), undefined);
  }
});
