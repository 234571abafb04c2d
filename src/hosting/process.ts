/** The host's hold on its process: signals, errors that nobody caught, and the handle that keeps it alive. */
import { constants } from "node:os";
import { didYouMean, type Problems, show } from "../errors/index.ts";
import { systemClock } from "../time/index.ts";

/** The signals that stop the application unless others are named. */
export const STOP_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGQUIT"];

/** Adds a problem for each signal that there is not, or that no process can handle. */
export function refuseSignals(signals: readonly unknown[], problems: Problems): void {
  for (const signal of signals) {
    if (signal === "SIGKILL" || signal === "SIGSTOP") {
      problems.add("NS_OPTION_INVALID", `The host's signals name ${signal}, which no process can handle.`);
    } else if (typeof signal !== "string" || !Object.hasOwn(constants.signals, signal)) {
      const near = typeof signal === "string" ? didYouMean(signal, Object.keys(constants.signals)) : "";
      problems.add("NS_OPTION_INVALID", `The host's signals name ${show(signal)}, which is no signal here.${near}`);
    }
  }
}

/** What the host wants to be told. */
export interface ProcessListener {
  /** Empty: no handlers are installed. */
  readonly signals: readonly NodeJS.Signals[];
  readonly unhandledErrors: boolean;
  readonly onSignal: (signal: NodeJS.Signals) => void;
  /** A signal came again: the process ends right after this. */
  readonly onSignalAgain: (signal: NodeJS.Signals) => void;
  readonly onUnhandled: (error: unknown, kind: "uncaughtException" | "unhandledRejection") => void;
}

/** Installs what is asked for, and keeps the process alive until the hold is released. */
export function holdProcess(listener: ProcessListener): Disposable {
  let received = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    received++;
    // A person who presses Ctrl+C again, or a platform that sends it again, wants it over now.
    if (received > 1) {
      listener.onSignalAgain(signal);
      process.exit(128 + constants.signals[signal]);
    }
    listener.onSignal(signal);
  };
  const onException = (error: unknown) => listener.onUnhandled(error, "uncaughtException");
  const onRejection = (error: unknown) => listener.onUnhandled(error, "unhandledRejection");
  for (const signal of listener.signals) process.on(signal, onSignal);
  if (listener.unhandledErrors) {
    process.on("uncaughtException", onException);
    process.on("unhandledRejection", onRejection);
  }
  // Promises and signal handlers do not keep Node alive: without a handle, a host whose services only wait exits at once.
  const alive = systemClock.setTimer(Number.MAX_SAFE_INTEGER, () => undefined);
  return {
    [Symbol.dispose]() {
      alive.cancel();
      for (const signal of listener.signals) process.off(signal, onSignal);
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    },
  };
}
