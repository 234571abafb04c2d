/** Makes the wall clock of a process jump: `JUMPS=15000 node --import jumping-clock.ts …` sets it up to 15 s ahead or back. */
const most = Number(process.env["JUMPS"]);
const RealDate = Date;
let offset = 0;

globalThis.Date = new Proxy(RealDate, {
  construct: (_, args: unknown[]) => Reflect.construct(RealDate, args.length === 0 ? [RealDate.now() + offset] : args),
  apply: () => new RealDate(RealDate.now() + offset).toString(),
  get: (target, key) => (key === "now" ? () => RealDate.now() + offset : Reflect.get(target, key)),
});

const jump = () => {
  offset = Math.round((Math.random() * 2 - 1) * most);
};
jump();
setInterval(jump, 300).unref();
