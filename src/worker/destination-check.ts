import { type Clock, millis } from "../base/time.ts";
import type { ProbeReport } from "../contract/destination-check.ts";
import type { Commands } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { parseRtmpUrl } from "../protocol/rtmp/url.ts";
import { destinationGuard } from "../transport/rtmp/address-rules.ts";
import { probeDestination } from "../transport/rtmp/destination-probe.ts";

/** Tries a destination with the settings that a push to it would have. */
export function checkDestination(
  { destination, publish }: Commands["destination.check"]["in"],
  settings: WorkerOptions["push"],
  clock: Clock,
): Promise<ProbeReport> {
  return probeDestination(
    {
      url: parseRtmpUrl(destination.rtmpUrl, destination.name),
      flashVersion: destination.flashVersion ?? settings.flashVersion,
      localAddress: settings.localAddress,
      timeout: millis(settings.connectTimeoutMs),
      extraCa: settings.extraCa,
      verifyCertificate: settings.verifyCertificate,
      mayConnect: destinationGuard(settings.destinations),
      publish,
    },
    clock,
  );
}
