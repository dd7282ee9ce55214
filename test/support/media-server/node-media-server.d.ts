declare module "node-media-server" {
  import type { Server } from "node:net";

  interface Settings {
    readonly bind: string;
    readonly rtmp: { readonly port: number };
    readonly http: { readonly port: number };
    readonly store: { readonly path: string };
    readonly auth: { readonly play: boolean; readonly publish: boolean };
    readonly webadmin: { readonly enable: boolean };
  }

  class NodeMediaServer {
    readonly rtmpServer: { readonly tcpServer?: Server };
    readonly httpServer: { readonly httpServer?: Server };
    constructor(settings: Settings);
    run(): Promise<void>;
  }

  export = NodeMediaServer;
}
