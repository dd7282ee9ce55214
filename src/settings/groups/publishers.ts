/** Publishers and what is made of their media. */
import { bool, choice, choices, integer, line, ms } from "../field.ts";

export const publishers = {
  rtcp_pli_request_interval: ms(
    1000,
    100,
    60_000,
    "Smallest pause between two keyframe requests to a publisher; on average when its picture is frozen by losses: then up to three follow closely.",
  ),
  keyframe_interval_ms: ms(
    2000,
    500,
    60_000,
    "Longest pause between two keyframes while a push needs them.",
  ),
  webrtc_connect_timeout_ms: ms(15_000, 1000, 120_000, "Time that ICE and DTLS may take."),
  webrtc_idle_timeout_ms: ms(
    10_000,
    1000,
    600_000,
    "Time without a media packet after which a publisher counts as gone.",
  ),
  webrtc_max_reorder_wait_ms: ms(
    1000,
    20,
    5000,
    "Longest wait for a lost packet to be sent again; it is five round trips where that is less.",
  ),
  rtmp_handshake_timeout_ms: ms(
    10_000,
    500,
    120_000,
    "Time in which an RTMP client must say what it wants to publish or play.",
  ),
  rtmp_idle_timeout_ms: ms(
    15_000,
    1000,
    600_000,
    "Time without media after which an RTMP publisher counts as gone.",
  ),
  publish_start_bitrate_kbps: integer(
    1000,
    0,
    1_000_000,
    "Where a publisher's bitrate estimate begins unless its page says it; 0 leaves it to the browser. Kilobits per second.",
  ),
  publish_max_bitrate_kbps: integer(
    20_000,
    100,
    1_000_000,
    "Most that a publisher is allowed to send. Kilobits per second.",
  ),
};

export const sound = {
  media_dir: line("media", "Folder of sound files."),
  rtmp_audio_codec: choice(
    ["aac", "pcma", "pcmu"],
    "aac",
    "What the sound of pushes is encoded to: AAC, or G.711 of either law, which YouTube and most other platforms do not take. AAC that comes by RTMP stays AAC, and players of this server always get AAC. Speex can only be passed through.",
  ),
  rtmp_audio_passthrough: choices(
    ["pcma", "pcmu", "speex"],
    "Sound that a source sends in one of these codecs is pushed as it is instead of being encoded; what it sends in another goes out in rtmp_audio_codec.",
  ),
  rtmp_audio_opus_passthrough: bool(
    true,
    "Push the Opus of a source as it is, without encoding anything, to destinations whose answer to connect says that they take it (Enhanced RTMP), where rtmp_audio_codec is aac; false makes AAC of it for all.",
  ),
  audio_aac_encoder: choice(
    ["lean", "ffmpeg", "fdk"],
    "lean",
    "Which AAC encoder is used: the server's own, which takes the least CPU and memory (docs/performance.md), makes AAC of Opus inside the media workers instead of in a process beside them, and leaves sound files for RTMP sources of another rate than 48 kHz to FFmpeg's, FFmpeg's alone, or libfdk_aac, whose licence does not allow to distribute it together with GPL software.",
  ),
  audio_channels: choice(
    ["auto", "1", "2"],
    "auto",
    "Channels of the AAC made from a source; auto follows the source.",
  ),
  audio_mono_bitrate_kbps: integer(
    64,
    16,
    320,
    "AAC bitrate with one channel. Kilobits per second.",
  ),
  audio_stereo_bitrate_kbps: integer(
    128,
    32,
    512,
    "AAC bitrate with two channels. Kilobits per second.",
  ),
};
