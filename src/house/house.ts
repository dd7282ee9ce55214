import { setTimeout as sleep } from "node:timers/promises";
import { Scope } from "../base/scope.ts";
import { createLogger, type Logger } from "../observe/logger.ts";
import { type LocalReceiver, startReceiver } from "../receiver/receiver.ts";
import { type Certificate, ownCertificate, readCertificate } from "../settings/certificate.ts";
import type { Settings } from "../settings/schema.ts";
import { openDoors, RECEIVER_APP } from "./doors.ts";
import { openServices } from "./services.ts";

/** The running server. */
export interface House {
  /** Addresses, for a person. */
  readonly banner: string;
  /** Milliseconds for which `close` only announces the end. */
  readonly closeDelay: number;
  /** Announces the end, drains the workers, then ends everything. */
  close(): Promise<void>;
}

/** Starts everything. Rejects with an error that names the setting when a port or file is the cause. */
export async function startHouse(settings: Settings): Promise<House> {
  const scope = new Scope();
  const logger = createLogger(settings.log_level);
  try {
    const receiver = await openReceiver(settings, scope, logger);
    const services = await openServices(settings, scope, logger);
    const certificate = await openCertificate(settings);
    await openDoors(settings, services, { receiver, certificate }, scope);
    const closeDelay = settings.shutdown_delay_ms;
    const close = async (): Promise<void> => {
      services.readiness.drain();
      await sleep(closeDelay);
      await scope.close();
    };
    return { banner: banner(settings, receiver), closeDelay, close };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

async function openReceiver(
  settings: Settings,
  scope: Scope,
  logger: Logger,
): Promise<LocalReceiver | undefined> {
  if (!settings.local_receiver_enabled) return undefined;
  const receiver = await startReceiver({
    rtmpPort: settings.local_receiver_rtmp_port,
    httpPort: settings.local_receiver_http_port,
  });
  scope.onClose(() => receiver.close());
  void receiver.ended.then((how) => {
    if (!scope.closed) logger.warn({ how }, "local receiver ended");
  });
  return receiver;
}

async function openCertificate(settings: Settings): Promise<Certificate | undefined> {
  if (settings["wss.port"] === 0 && settings["https.port"] === 0) return undefined;
  const { tls_certificate_file: certificate, tls_key_file: key } = settings;
  try {
    if (certificate === undefined || key === undefined)
      return await ownCertificate(settings.tls_dir);
    return await readCertificate(certificate, key);
  } catch (error) {
    const keys = certificate === undefined ? "tls_dir" : "tls_certificate_file, tls_key_file";
    throw new Error(`${keys}: ${(error as Error).message}`);
  }
}

function banner(settings: Settings, receiver: LocalReceiver | undefined): string {
  const lines = [
    ["Page", `http://localhost:${settings["http.port"]}/`],
    ["REST", `http://localhost:${settings["http.port"]}/rest-api/`],
    ["WHIP", `http://localhost:${settings["http.port"]}/whip/<stream name>`],
    ["WebSocket", `ws://localhost:${settings["ws.port"]}`],
  ];
  if (settings["https.port"] > 0)
    lines.push(["Page, TLS", `https://localhost:${settings["https.port"]}/`]);
  if (settings["wss.port"] > 0)
    lines.push(["WebSocket, TLS", `wss://localhost:${settings["wss.port"]}`]);
  if (receiver !== undefined) {
    lines.push(["Local receiver", `rtmp://127.0.0.1:${receiver.rtmpPort}/${RECEIVER_APP}`]);
  }
  const text = lines.map(([name = "", url]) => `  ${name.padEnd(16)}${url}`);
  return `Transponder is ready.\n${text.join("\n")}\n`;
}
