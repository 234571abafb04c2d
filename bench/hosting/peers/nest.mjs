/** The same services as providers of one NestJS module. */
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

export const name = "NestJS 12";

export async function make(services) {
  class App {}
  Module({
    providers: services.map((service) => ({
      provide: service.name,
      useFactory: () => ({ onModuleInit: () => service.start(), onModuleDestroy: () => service.stop() }),
    })),
  })(App);
  let app;
  return {
    async start() {
      app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    },
    stop: () => app.close(),
  };
}
