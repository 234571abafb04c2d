/** The statements of the conformance list that say nothing about a TypeScript library, each with the reason. */
export const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  "C-106":
    "Configuration is read once, at build, from a file and the environment: there are no providers that stay open.",
  "C-121": "TypeScript's types are gone at run time: there are no open generics to register. Two tokens do the work.",
  "C-122": "A class has one constructor, so none has to be chosen.",
  "C-143":
    "There are no keyed services, hence no null key: a second token is the key, and the first one is the unkeyed service.",
  "C-145": "There is no registration for any key: a factory that takes the key as an argument is an ordinary service.",
};
