/** Every setting, group by group. WCS names its own; the other names are ours. */
import { z } from "zod";
import type { SettingGroup } from "./field.ts";
import { access } from "./groups/access.ts";
import { addresses } from "./groups/addresses.ts";
import { cluster } from "./groups/cluster.ts";
import { events } from "./groups/events.ts";
import { limits } from "./groups/limits.ts";
import { publishers, sound } from "./groups/publishers.ts";
import { autoPush, destinations, output, pushes, pushRules, reconnect } from "./groups/pushes.ts";
import { clients, observation, processes, rest, shutdown, tls } from "./groups/server.ts";
import { sip } from "./groups/sip.ts";
import { transcoding } from "./groups/transcoding.ts";

/** In the order of the reference. */
export const GROUPS: readonly SettingGroup[] = [
  { heading: "Ports and addresses", shape: addresses },
  { heading: "Pushes", shape: pushes },
  { heading: "Automatic push", shape: autoPush },
  { heading: "Push rules", shape: pushRules },
  { heading: "Reconnect", shape: reconnect },
  { heading: "Output", shape: output },
  { heading: "Destinations", shape: destinations },
  { heading: "Publishers", shape: publishers },
  { heading: "Sound", shape: sound },
  { heading: "Transcoding", shape: transcoding },
  { heading: "SIP calls", shape: sip },
  { heading: "Clients", shape: clients },
  { heading: "REST", shape: rest },
  { heading: "Access", shape: access },
  { heading: "Processes", shape: { ...processes, ...shutdown } },
  { heading: "TLS of this server", shape: tls },
  { heading: "Observation", shape: observation },
  { heading: "Events", shape: events },
  { heading: "Cluster", shape: cluster },
  { heading: "Limits", shape: limits },
];

/** Defaults are written in the groups and nowhere else. */
export const settingsSchema = z.object({
  ...addresses,
  ...pushes,
  ...autoPush,
  ...pushRules,
  ...reconnect,
  ...output,
  ...destinations,
  ...publishers,
  ...sound,
  ...transcoding,
  ...sip,
  ...clients,
  ...rest,
  ...access,
  ...processes,
  ...shutdown,
  ...tls,
  ...observation,
  ...events,
  ...cluster,
  ...limits,
});

/** The effective settings, by key. */
export type Settings = z.output<typeof settingsSchema>;
export type SettingKey = keyof Settings;

/** Keys of WCS that mean something there and nothing here; they are accepted and have no effect. */
export const INERT_WCS_KEYS: ReadonlySet<string> = new Set([
  "compact_media_port_usage",
  "rtp_bundle",
  "codecs",
  "codecs_exclude_sip",
  "codecs_exclude_streaming",
  "codecs_exclude_sip_rtmp",
  "periodic_fir_request",
  "periodic_fir_request_interval",
  "ice_tcp_transport",
  "ice_tcp_channel_high_water_mark",
  "ice_tcp_channel_low_water_mark",
  "rest_access_control_headers",
  "disable_streaming_proxy",
  "rtp_receive_buffer_size",
  "rtp_send_buffer_size",
  "keep_alive_streaming_sessions_enabled",
]);
