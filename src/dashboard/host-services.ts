/** The services of a host as the dashboard shows them. */
import { messageOf } from "../errors/index.ts";
import type { HostSnapshot, ServiceSnapshot, ServiceStateName } from "../hosting/index.ts";
import { formatDuration } from "../time/index.ts";
import type { ServiceRow } from "./api.ts";

const MOODS: Readonly<Record<ServiceStateName, ServiceRow["mood"]>> = {
  registered: "idle",
  starting: "idle",
  running: "good",
  "backing-off": "bad",
  completed: "idle",
  faulted: "bad",
  stopping: "idle",
  stopped: "idle",
  abandoned: "bad",
};

/** @param now the time by the host's clock */
export function viewServices(snapshot: HostSnapshot, now: number): readonly ServiceRow[] {
  return snapshot.services.map((service) => ({
    name: service.name,
    state: service.alive ? service.state : `${service.state}, no heartbeat`,
    mood: service.alive ? MOODS[service.state] : "bad",
    since: service.since.getTime(),
    restarts: service.restarts,
    lastError: service.lastError === undefined ? null : { at: null, message: messageOf(service.lastError) },
    facts: factsOf(service, now),
  }));
}

function factsOf({ doing, restartsAt, lastHeartbeat }: ServiceSnapshot, now: number): ServiceRow["facts"] {
  const ago = (at: Date) => formatDuration(Math.max(0, now - at.getTime()));
  return {
    ...(doing === undefined
      ? {}
      : { doing, heartbeat: lastHeartbeat === undefined ? "none" : `${ago(lastHeartbeat)} ago` }),
    ...(restartsAt === undefined ? {} : { "starts again in": formatDuration(Math.max(0, restartsAt.getTime() - now)) }),
  };
}
