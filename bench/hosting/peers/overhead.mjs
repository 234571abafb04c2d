/** Starts and stops many services that do nothing, and prints times and memory as JSON. Run with --expose-gc. */
const peer = await import(`./${process.argv[2]}.mjs`);
const count = Number(process.argv[3]);
const ROUNDS = 5;
const nothing = () => undefined;
const services = () =>
  Array.from({ length: count }, (_, index) => ({ name: `s${index}`, start: nothing, stop: nothing }));

const times = [];
let bytes = 0;
// Kept, so that no earlier round is freed while a later one is measured.
const kept = [];
for (let round = 0; round < ROUNDS; round++) {
  const given = services();
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  const app = await peer.make(given);
  await app.start();
  kept.push(app, given);
  const started = performance.now();
  globalThis.gc();
  bytes = process.memoryUsage().heapUsed - before;
  const stopping = performance.now();
  await app.stop();
  times.push([started - began, performance.now() - stopping]);
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(
  JSON.stringify({
    start: median(times.map(([start]) => start)),
    stop: median(times.map(([, stop]) => stop)),
    bytesPerService: bytes / count,
  }),
);
process.exit(0);
