/** Queues: pause and resume. */
import type { OperateRoute } from "../route.ts";

/** `api/queues/pause` */
export const pauseQueue: OperateRoute<"api/queues/pause"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only("queue", "reason");
    return { queue: body.text("queue"), ...body.reason() };
  },
  async handle({ parts, visitor }, { queue, reason }) {
    const by = visitor.user === null ? "from the dashboard" : `from the dashboard, by ${visitor.user}`;
    await parts.store.pauseQueue(queue, reason ?? `Paused ${by}`);
    return { done: true };
  },
};

/** `api/queues/resume` */
export const resumeQueue: OperateRoute<"api/queues/resume"> = {
  method: "POST",
  permission: "operate",
  parse(body) {
    body.only("queue");
    return { queue: body.text("queue") };
  },
  async handle({ parts }, { queue }) {
    await parts.store.resumeQueue(queue);
    return { done: true };
  },
};
