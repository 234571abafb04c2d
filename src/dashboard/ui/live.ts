/** The live numbers: one stream while the page can be seen, none while it is hidden, polling where streams do not get through. */
import type { OverviewView } from "../api.ts";
import { read } from "./client.ts";

/** How it stands with the numbers. */
export type LiveState = "connecting" | "live" | "polling" | "hidden" | "lost";

const POLL_EVERY = 5_000;
/** A stream that failed this often in a row is given up for polling: some proxies keep streams back. */
const MOST_FAILURES = 3;

/** Starts; calls `onBeat` with each set of numbers, and `onState` when the connection changes. */
export function startLive(onBeat: (overview: OverviewView) => void, onState: (state: LiveState) => void): void {
  let source: EventSource | undefined;
  let poll: number | undefined;
  let failures = 0;

  const stop = () => {
    source?.close();
    source = undefined;
    clearInterval(poll);
    poll = undefined;
  };
  const startPolling = () => {
    const ask = () =>
      read("api/overview", {}).then(
        (overview) => {
          onState("polling");
          onBeat(overview);
        },
        () => onState("lost"),
      );
    poll = setInterval(() => void ask(), POLL_EVERY);
    void ask();
  };
  const start = () => {
    stop();
    if (failures >= MOST_FAILURES) return startPolling();
    source = new EventSource("api/live");
    source.addEventListener("overview", (event) => {
      failures = 0;
      onState("live");
      onBeat(JSON.parse(event.data) as OverviewView);
    });
    source.addEventListener("trouble", () => onState("lost"));
    source.addEventListener("error", () => {
      failures += 1;
      onState(failures >= MOST_FAILURES ? "lost" : "connecting");
      // A refused stream is closed for good by the browser; one that broke off comes back by itself.
      if (failures >= MOST_FAILURES || source?.readyState === EventSource.CLOSED) start();
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stop();
      onState("hidden");
    } else {
      failures = 0;
      start();
    }
  });
  // A page that is left for another one keeps a connection in the browser's back-forward cache otherwise.
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", (event) => event.persisted && start());
  if (!document.hidden) start();
}
