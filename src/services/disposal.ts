/** Disposes what a scope made: last made first, one at a time, all of them even when some fail. */

/** Whether a value wants to be disposed at all. */
export function isDisposable(value: unknown): value is Partial<AsyncDisposable & Disposable> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return hasMethod(value, Symbol.asyncDispose) || hasMethod(value, Symbol.dispose);
}

/** Disposes one value, asynchronously if it can. */
export async function disposeOne(value: Partial<AsyncDisposable & Disposable>): Promise<void> {
  if (hasMethod(value, Symbol.asyncDispose)) await value[Symbol.asyncDispose]?.();
  else value[Symbol.dispose]?.();
}

/** Disposes from the end of the list, emptying it; returns what was thrown. */
export async function disposeAll(made: Partial<AsyncDisposable & Disposable>[]): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (let value = made.pop(); value !== undefined; value = made.pop()) {
    try {
      await disposeOne(value);
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

/** Throws nothing, the single error as it is, or one that carries them all. */
export function throwCollected(errors: readonly unknown[], message: string): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, message);
}

function hasMethod(value: object, name: symbol): boolean {
  return typeof (value as Record<symbol, unknown>)[name] === "function";
}
