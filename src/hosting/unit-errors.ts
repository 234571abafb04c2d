/** What is said of a service that did not keep to its time, or ended too often. */
import { NightshiftError } from "../errors/index.ts";
import type { StartPhase, StopPhase } from "./hosted-service.ts";

export function endedTooOften(name: string, why: string): NightshiftError {
  const message = `${name} ended, and is not restarted any more: ${why} within its window.`;
  return new NightshiftError("NS_SERVICE_FAILED", message, { details: { service: name } });
}

export function startOverrun(name: string, phase: StartPhase): NightshiftError {
  return new NightshiftError("NS_TIMEOUT", `${name} did not finish its ${phase} in time.`, {
    details: { service: name },
  });
}

export function abandoned(name: string, phase: StopPhase, doing: string): NightshiftError {
  const message = `${name} did not finish its ${phase} in time and was abandoned (${doing}).`;
  return new NightshiftError("NS_SERVICE_ABANDONED", message, { details: { service: name, phase, doing } });
}
