/** Every address of the API. There are no parameters in paths, so finding a route is one look-up and nothing to decode. */
import { cancelJobs, countJobs, job, jobData, jobs, retryJobs, runJobsNow } from "./api/jobs.ts";
import { about, findings, overview } from "./api/overview.ts";
import { instances, services } from "./api/processes.ts";
import { pauseQueue, resumeQueue } from "./api/queues.ts";
import {
  createSchedule,
  previewSchedule,
  removeSchedule,
  scheduleForm,
  scheduleInput,
  updateSchedule,
} from "./api/schedule-forms.ts";
import {
  pauseGroup,
  pauseSchedule,
  resumeGroup,
  resumeSchedule,
  schedule,
  schedules,
  triggerSchedule,
} from "./api/schedules.ts";
import type { Routes } from "./route.ts";

export const routes: Routes = {
  "api/about": about,
  "api/overview": overview,
  "api/findings": findings,
  "api/jobs": jobs,
  "api/jobs/count": countJobs,
  "api/job": job,
  "api/job/data": jobData,
  "api/schedules": schedules,
  "api/schedule": schedule,
  "api/schedule/input": scheduleInput,
  "api/schedules/form": scheduleForm,
  "api/schedules/preview": previewSchedule,
  "api/services": services,
  "api/instances": instances,
  "api/jobs/cancel": cancelJobs,
  "api/jobs/retry": retryJobs,
  "api/jobs/run-now": runJobsNow,
  "api/queues/pause": pauseQueue,
  "api/queues/resume": resumeQueue,
  "api/schedules/pause": pauseSchedule,
  "api/schedules/resume": resumeSchedule,
  "api/schedules/pause-group": pauseGroup,
  "api/schedules/resume-group": resumeGroup,
  "api/schedules/trigger": triggerSchedule,
  "api/schedules/create": createSchedule,
  "api/schedules/update": updateSchedule,
  "api/schedules/remove": removeSchedule,
};
