/** The handle that the client gives: it keeps the id, and asks the store each time. */
import type { CancelResult, JobId, JobState } from "../../store/contract.ts";
import type { JobDefinition } from "../definition.ts";
import type { JobDetails } from "./details.ts";
import type { JobHandle, ResultOptions } from "./handle.ts";
import type { Results } from "./results.ts";

/** What handles ask of their client. */
interface Client {
  cancel(job: JobId, reason?: string): Promise<CancelResult>;
  state(job: JobId): Promise<JobState | null>;
  get(job: JobId): Promise<JobDetails | null>;
}

/** All private but the id and the name: a handle that is logged shows these. */
export class LiveHandle<Output> implements JobHandle<Output> {
  readonly id: JobId;
  readonly name: string;
  readonly #client: Client;
  readonly #results: Results;
  readonly #definition: JobDefinition<unknown, Output> | undefined;

  constructor(client: Client, results: Results, id: JobId, definition: JobDefinition<unknown, Output> | undefined) {
    this.id = id;
    this.name = definition?.name ?? "";
    this.#client = client;
    this.#results = results;
    this.#definition = definition;
  }

  async result(options: ResultOptions = {}): Promise<Output> {
    return (await this.#results.of(this.id, this.#definition, options)) as Output;
  }

  cancel(reason?: string): Promise<CancelResult> {
    return this.#client.cancel(this.id, reason);
  }

  state(): Promise<JobState | null> {
    return this.#client.state(this.id);
  }

  details(): Promise<JobDetails | null> {
    return this.#client.get(this.id);
  }
}
