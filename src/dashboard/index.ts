/** `nightshift/dashboard`: the dashboard as a fetch handler, and the types of its API. */

export { addDashboardTo, type DashboardSurroundings } from "./add-dashboard.ts";
export type * from "./api.ts";
export { type CreateDashboardOptions, createDashboard, Dashboard } from "./dashboard.ts";
export type { AddDashboardOptions, DashboardLook } from "./options.ts";
export type { Authorize, Peer, Verdict } from "./server/access.ts";
export type { ScheduleDesk, ScheduleEditor, ScheduleFacts } from "./server/parts.ts";
