/** Cleans up expired records: login sessions that ran out, in slices, so that no write lock is held for long. */
import { defineJob } from "nightshift";
import { UnitOfWork } from "../database/unit-of-work.ts";

const SLICE = 500;

export const cleanUpSessions = defineJob({
  name: "sessions.clean-up",
  timeout: "1m",
  inject: [UnitOfWork],
  async run(_input, job, database) {
    let removed = 0;
    for (let slice = SLICE; slice === SLICE; removed += slice) {
      job.signal.throwIfAborted();
      slice = database.run(
        "DELETE FROM login_session WHERE id IN (SELECT id FROM login_session WHERE expires_at < ? LIMIT ?)",
        Date.now(),
        SLICE,
      ).changes;
    }
    job.logger.info({ removed }, "expired sessions removed");
    return { removed };
  },
});
