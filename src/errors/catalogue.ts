/** Every code that Nightshift can raise, with what it means. Codes are stable: programs may branch on them. */
export const ERROR_CODES = {
  // The house as a whole
  NS_NODE_VERSION: "This Node.js is older than the library supports.",
  NS_BUILD_INVALID: "The application is not valid; the message lists every problem found.",
  NS_OPTION_UNKNOWN: "An option name is not known.",
  NS_OPTION_INVALID: "An option has a value that is not allowed.",
  NS_ABORTED: "The caller's signal was aborted before the work was done.",
  NS_TIMEOUT: "Something did not finish within its time.",
  // Time
  NS_DURATION_INVALID: "A duration is neither milliseconds nor text such as 10s, 5m, 2h or 1d.",
  NS_CRON_SYNTAX: "A cron expression cannot be read.",
  NS_RECURRENCE_SYNTAX: "A recurrence rule (RFC 5545) cannot be read.",
  NS_TRIGGER_INVALID: "A trigger's parameters are not allowed, or its stored form cannot be read.",
  NS_CALENDAR_INVALID: "A calendar's parameters are not allowed, or its stored form cannot be read.",
  NS_TIME_ZONE_UNKNOWN: "A time zone name is not an IANA zone that this Node.js knows.",
  NS_TIME_INVALID: "A date or an instant is not valid.",
  // Services
  NS_SERVICE_MISSING: "A dependency is not registered.",
  NS_SERVICE_CYCLE: "Services need each other in a circle.",
  NS_SERVICE_CAPTIVE: "A singleton would capture a scoped service.",
  NS_SERVICE_SCOPE: "A scoped service was asked of the root, where no scope is.",
  NS_SERVICE_ASYNC: "An asynchronous singleton was asked for before it was made.",
  NS_SERVICE_DISPOSED: "The container or scope was already disposed.",
  NS_SERVICE_INVALID: "A registration is not allowed.",
  // Hosting
  NS_HOST_STATE: "The host is not in a state that allows this call.",
  NS_HOST_STOPPING: "The host is stopping: the reason of the signal of jobs that still run.",
  NS_SERVICE_FAILED: "A hosted service failed.",
  NS_SERVICE_ABANDONED: "A hosted service did not stop within its time and was abandoned.",
  NS_QUEUE_FULL: "A background queue is full.",
  NS_QUEUE_CLOSED: "A background queue takes no more items.",
  // Stores
  NS_STORE_CLOSED: "The store is closed or was never opened.",
  NS_STORE_UNAVAILABLE: "The store cannot be reached or opened.",
  NS_STORE_FOREIGN: "The database is not one of Nightshift's, and was not touched.",
  NS_STORE_VERSION: "The database was written by a newer version of the library.",
  NS_STORE_CORRUPT: "The database is damaged.",
  NS_STORE_FULL: "The disk or the database is full; nothing was written.",
  NS_STORE_BUSY: "The database stayed locked by others for longer than the busy timeout.",
  NS_STORE_UNSUPPORTED: "The store cannot do this here; the message names the reason.",
  NS_STORE_TX: "The transaction given cannot be used with this store.",
  NS_STORE_SHARDS: "The shards given do not fit those of the data, or jobs of two shards cannot be one commit.",
  NS_LEASE_LOST: "The lease is no longer held: another worker may run these jobs, so this outcome is refused.",
  NS_STORE_IN_USE: "Processes still work on the store, so what was asked was not done.",
  NS_IMPORT_INVALID: "A line of an import cannot be read; the message names its number.",
  // Jobs
  NS_JOB_DEFINITION: "A job definition is not valid.",
  NS_JOB_DUPLICATE: "Two job definitions have the same name.",
  NS_JOB_UNKNOWN: "No such job name is registered here.",
  NS_JOB_INPUT: "The input of a job does not match its schema.",
  NS_JOB_OUTPUT: "The output of a job does not match its schema.",
  NS_JOB_TOO_LARGE: "The input or output of a job is larger than allowed.",
  NS_JOB_NOT_FOUND: "No such job exists.",
  NS_JOB_STATE: "The job is not in a state that allows this call.",
  NS_JOB_FAILED: "The job ended without success.",
  NS_JOB_CANCELLED: "The job was cancelled.",
  NS_JOB_TIMEOUT: "An attempt ran longer than its timeout.",
  NS_WORKER_LOST: "The worker that ran the job vanished.",
  // Schedules
  NS_SCHEDULE_INVALID: "A schedule is not valid.",
  NS_SCHEDULE_DUPLICATE: "Two schedules have the same id.",
  NS_SCHEDULE_STALE: "A schedule was changed by somebody else since it was read.",
  NS_SCHEDULE_NOT_FOUND: "No such schedule exists.",
  // Dashboard
  NS_DASHBOARD_FORBIDDEN: "This request is not allowed on the dashboard.",
  NS_DASHBOARD_REQUEST: "A request to the dashboard cannot be understood.",
  NS_DASHBOARD_LISTEN: "The dashboard cannot listen on its address.",
} as const;

/** A stable error code, `NS_` and what went wrong. */
export type ErrorCode = keyof typeof ERROR_CODES;
