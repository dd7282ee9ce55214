/** Calls over SIP whose media becomes a stream. */
import { bool, choice, integer, line, ms, port } from "../field.ts";

export const sip = {
  sip_port_from: port(30_000, "First port for SIP signalling; each call takes one."),
  sip_port_to: port(31_000, "Last port for SIP signalling."),
  sip_media_port_from: port(
    32_001,
    "First UDP port for media of SIP calls; each call takes two for every kind of media.",
  ),
  sip_media_port_to: port(33_000, "Last UDP port for media of SIP calls."),
  sip_transport: choice(
    ["udp", "tcp"],
    "udp",
    "Transport of calls whose sipOutboundProxy or callee does not say it by ;transport=.",
  ),
  sip_answer_timeout_s: integer(
    120,
    5,
    3600,
    "Time after which a call that nobody takes is given up. Seconds.",
  ),
  sip_media_timeout_ms: ms(
    30_000,
    1000,
    3_600_000,
    "Time without media after which a call that is not on hold is hung up.",
  ),
  sip_session_expires_s: integer(
    1800,
    90,
    86_400,
    "Session timer offered to the other side (RFC 4028). Seconds.",
  ),
  sip_register_expires_s: integer(
    600,
    60,
    86_400,
    "Life of a registration before it is renewed. Seconds.",
  ),
  sip_early_media: bool(
    true,
    "Media that comes before the callee answers, such as a ringing tone, belongs to the stream.",
  ),
  sip_user_agent: line("Transponder", "How this server names itself to SIP peers."),
  max_calls: integer(100, 0, 100_000, "SIP calls at once; 0 refuses all."),
};
