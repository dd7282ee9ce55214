import { setTimeout as sleep } from "node:timers/promises";
import { Scope } from "../base/scope.ts";
import type { Drain } from "../control/drain.ts";
import { createLogger } from "../observe/logger.ts";
import { type Certificate, ownCertificate, readCertificate } from "../settings/certificate.ts";
import type { Settings } from "../settings/schema.ts";
import { openServices } from "./services.ts";

const EMPTY_POLL_MS = 100;

/** The running server. */
export interface House {
  /** Addresses, for a person. */
  readonly banner: string;
  /** Milliseconds for which `close` announces the end and waits for streams to end by themselves, at most. */
  readonly closeDelay: number;
  /** Announces the end, drains the workers, then ends everything. */
  close(): Promise<void>;
}

/** Starts everything. Rejects with an error that names the setting when a port or file is the cause. */
export async function startHouse(settings: Settings): Promise<House> {
  const scope = new Scope();
  const logger = createLogger(settings.log_level);
  try {
    // Nothing of a cluster is loaded for a node that is alone.
    const alone = settings["cluster.nats_url"].length === 0;
    const clusters = alone ? undefined : await import("./cluster.ts");
    const tie = await clusters?.openTie(settings, logger);
    const starting = openServices(settings, scope, logger, tie?.link.table);
    // The libraries of the doors are read while the workers start.
    const [services, doors] = await Promise.all([starting, import("./doors.ts")]);
    const certificate = await openCertificate(settings);
    const cluster = tie && (await clusters?.openCluster(settings, services, tie, scope));
    await doors.openDoors(settings, { ...services, cluster }, certificate, scope);
    const { shutdown_delay_ms: delay, shutdown_drain_ms: patience } = settings;
    const close = async (): Promise<void> => {
      services.readiness.end();
      await sleep(delay);
      await emptied(services.drain, patience);
      await scope.close();
    };
    const closeDelay = delay + patience;
    return { banner: banner(settings, doors.ownRtmpUrl(settings)), closeDelay, close };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

/** Resolves when no stream runs any more, or after `patience` milliseconds. */
async function emptied(drain: Drain, patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  while (!drain.empty && performance.now() < deadline) await sleep(EMPTY_POLL_MS);
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

function banner(settings: Settings, rtmp: string | undefined): string {
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
  if (rtmp !== undefined) lines.push(["RTMP", rtmp]);
  const text = lines.map(([name = "", url]) => `  ${name.padEnd(16)}${url}`);
  return `Transponder is ready.\n${text.join("\n")}\n`;
}
