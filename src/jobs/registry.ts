/** The definitions that one process knows, by name. */
import { NightshiftError, type Problems, show, suggest } from "../errors/index.ts";
import { adviceOnDefinition, definitionProblems, isJobDefinition, type JobDefinition } from "./definition.ts";

/** Definitions by name. Looked up by a Map, so that `constructor` and `__proto__` are names like any other. */
export class JobRegistry {
  readonly #byName = new Map<string, JobDefinition>();
  readonly names: ReadonlySet<string>;
  /** The queues that the definitions name. */
  readonly queues: ReadonlySet<string>;

  /** Everything wrong with the definitions is added to `problems`. */
  constructor(definitions: readonly JobDefinition[], problems: Problems) {
    for (const definition of definitions) {
      if (!isJobDefinition(definition)) {
        problems.add("NS_JOB_DEFINITION", `jobs contains ${show(definition)}. ${adviceOnDefinition(definition)}`);
        continue;
      }
      for (const problem of definition[definitionProblems]) {
        problems.attempt(() => {
          throw problem;
        });
      }
      const known = this.#byName.get(definition.name);
      if (known !== undefined && known !== definition) {
        const name = show(definition.name);
        problems.add("NS_JOB_DUPLICATE", `Two job definitions have the name ${name}. Give each a name of its own.`);
      }
      this.#byName.set(definition.name, definition);
    }
    this.names = new Set(this.#byName.keys());
    this.queues = new Set([...this.#byName.values()].map((definition) => definition.queue));
  }

  get definitions(): readonly JobDefinition[] {
    return [...this.#byName.values()];
  }

  get(name: string): JobDefinition | undefined {
    return this.#byName.get(name);
  }

  /** @throws NS_JOB_UNKNOWN when the definition is not registered here, whatever its name */
  refuseUnknown(definition: JobDefinition): void {
    // Without a compiler somebody gives the name, or nothing where an import is missing.
    const given = definition as JobDefinition | string | undefined | null;
    if (typeof given !== "object" || given === null || typeof given.name !== "string") {
      const advice = "Give the value that defineJob() gave, as in enqueue(sendWelcome, input).";
      throw new NightshiftError("NS_JOB_UNKNOWN", `${show(given)} is no job definition. ${advice}`);
    }
    if (this.#byName.get(definition.name) === definition) return;
    const name = show(definition.name);
    if (this.#byName.has(definition.name)) {
      const message = `The job definition ${name} is not the one registered under this name here.`;
      throw new NightshiftError("NS_JOB_UNKNOWN", `${message} Enqueue with the value given to jobs: [...].`);
    }
    const near = suggest(definition.name, this.names);
    const hint = near === undefined ? "" : ` Known is ${show(near)}.`;
    throw new NightshiftError("NS_JOB_UNKNOWN", `No job ${name} is registered here: add it to jobs: [...].${hint}`);
  }
}
