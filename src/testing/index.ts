/** What tests of an application, or of a store, need. */
export { type CapturingLogger, capturingLogger } from "../telemetry/index.ts";
export { VirtualClock } from "../time/index.ts";
export { startTestHost, type TestHost, type TestHostOptions } from "./test-host.ts";
