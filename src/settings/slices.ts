import type { WorkerOptions } from "../contract/worker-options.ts";
import type { Settings } from "./schema.ts";

const bindAddress = ({ ip_local: address }: Settings): string | undefined =>
  address === "0.0.0.0" ? undefined : address;

/** What worker number `index` (from 0) is configured with; `extraCa` is PEM text. */
export function workerOptions(
  settings: Settings,
  index: number,
  extraCa: string | undefined,
): WorkerOptions {
  return {
    webrtc: {
      udpPort: settings.media_port_from + index,
      bindAddress: bindAddress(settings),
      publicAddress: settings.ip,
    },
    ingest: {
      connectTimeoutMs: settings.webrtc_connect_timeout_ms,
      idleTimeoutMs: settings.webrtc_idle_timeout_ms,
      maxReorderWaitMs: settings.webrtc_max_reorder_wait_ms,
      keyframeRequestGapMs: settings.rtcp_pli_request_interval,
      startBitrateKbps: settings.publish_start_bitrate_kbps,
      maxBitrateKbps: settings.publish_max_bitrate_kbps,
    },
    rtmp: {
      connectTimeoutMs: settings.rtmp_handshake_timeout_ms,
      idleTimeoutMs: settings.rtmp_idle_timeout_ms,
    },
    sip: sipOptions(settings),
    aacEngine: settings.audio_aac_encoder,
    audio: {
      codec: settings.rtmp_audio_codec,
      passthrough: settings.rtmp_audio_passthrough,
      passOpus: settings.rtmp_audio_opus_passthrough,
      channels: settings.audio_channels === "auto" ? 0 : settings.audio_channels === "1" ? 1 : 2,
      monoBitrate: settings.audio_mono_bitrate_kbps * 1000,
      stereoBitrate: settings.audio_stereo_bitrate_kbps * 1000,
    },
    transcoding: {
      disabled: settings.transcoding_disabled,
      keepAspect: settings.transcoding_keep_aspect_ratio,
      fps: settings.transcoding_fps,
      cpuCeiling: settings.transcoding_max_cpu_percent / 100,
    },
    push: pushOptions(settings, extraCa),
    log: { level: settings.log_level },
  };
}

/** Which destinations pushes and dry runs may connect to. */
export const destinationRules = (settings: Settings): WorkerOptions["push"]["destinations"] => ({
  allowPrivate: settings.destinations_allow_private,
  allow: settings.destinations_allow,
  deny: settings.destinations_deny,
});

function sipOptions(settings: Settings): WorkerOptions["sip"] {
  return {
    ports: { from: settings.sip_port_from, to: settings.sip_port_to },
    mediaPorts: { from: settings.sip_media_port_from, to: settings.sip_media_port_to },
    bindAddress: bindAddress(settings),
    publicAddress: settings.ip,
    transport: settings.sip_transport,
    answerTimeoutS: settings.sip_answer_timeout_s,
    mediaTimeoutMs: settings.sip_media_timeout_ms,
    sessionExpiresS: settings.sip_session_expires_s,
    registerExpiresS: settings.sip_register_expires_s,
    earlyMedia: settings.sip_early_media,
    userAgent: settings.sip_user_agent,
  };
}

function pushOptions(settings: Settings, extraCa: string | undefined): WorkerOptions["push"] {
  return {
    flashVersion: settings.rtmp_flash_ver_subscriber,
    localAddress: settings.rtmp_publisher_ip,
    sendMetadata: settings.rtmp_transponder_send_metadata,
    connectTimeoutMs: settings.rtmp_connect_timeout_ms,
    writeTimeoutMs: settings.rtmp_write_timeout_ms,
    extraCa,
    verifyCertificate: settings.rtmps_verify,
    destinations: destinationRules(settings),
    keyframeIntervalMs: settings.keyframe_interval_ms,
    bufferBytes: settings.rtmp_buffer_bytes,
    bufferMs: settings.rtmp_buffer_ms,
    outBuffer: settings.rtmp_out_buffer_enabled
      ? {
          startMs: settings.rtmp_out_buffer_start_size,
          initialMs: settings.rtmp_out_buffer_initial_size,
          pollingMs: settings.rtmp_out_buffer_polling_time,
          maxBufferings: settings.rtmp_out_buffer_max_bufferings_allowed,
        }
      : undefined,
    restore: {
      attempts: settings.rtmp_push_restore ? settings.rtmp_push_restore_attempts : 0,
      intervalMs: settings.rtmp_push_restore_interval_ms,
      factor: settings.rtmp_push_restore_backoff_factor,
      maxIntervalMs: settings.rtmp_push_restore_max_interval_ms,
    },
  };
}
