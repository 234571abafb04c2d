/** The same services as plugins of one Fastify application. */
import fastify from "fastify";

export const name = "Fastify 5";

export async function make(services) {
  const app = fastify({ pluginTimeout: 0 });
  for (const service of services) {
    app.register(async (instance) => {
      instance.addHook("onReady", async () => service.start());
      instance.addHook("onClose", async () => service.stop());
    });
  }
  return { start: () => app.ready(), stop: () => app.close() };
}
