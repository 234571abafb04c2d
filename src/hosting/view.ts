/** The host as services may see it: how everything is, and what changes. */
import { token } from "../services/index.ts";
import type { Events } from "./emitter.ts";
import type { HostEvents, HostSnapshot } from "./snapshot.ts";

/** What a dashboard needs of the host. */
export interface HostView {
  snapshot(): HostSnapshot;
  readonly events: Events<HostEvents>;
}

/** The host's view of itself, injected. */
export const HostView = token<HostView>("HostView");
