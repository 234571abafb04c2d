/** fast-check, an optional peer: loaded when a suite of random tests runs, so that importing the suites needs nothing. */

/** fast-check's functions. */
export type FastCheck = typeof import("fast-check");

/** @throws an error that says what to install */
export async function loadFastCheck(): Promise<FastCheck> {
  try {
    return await import("fast-check");
  } catch (cause) {
    throw new Error("The store conformance suite needs fast-check: npm install --save-dev fast-check", { cause });
  }
}
