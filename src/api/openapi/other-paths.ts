/** What is served besides the operations of REST: events, metrics, health, WHIP. */
type Json = Readonly<Record<string, unknown>>;

const GUARDED = [{}, { basic: [] }, { bearer: [] }];

const text = (type: string): Json => ({ [type]: { schema: { type: "string" } } });
const json = (name: string): Json => ({
  "application/json": { schema: { $ref: `#/components/schemas/${name}` } },
});
const refused = (description: string): Json => ({ description, content: json("Error") });
const parameter = (name: string, place: string, description: string): Json => ({
  name,
  in: place,
  required: place === "path",
  description,
  schema: { type: "string" },
});

const EVENTS = [
  "Server-sent events. First `snapshot` {at, streams, pushes}; then `stream` and `push` on every change,",
  "with state and reason; and once a second `figures` {at, server, streams, pushes}, measured by the",
  "workers, by media session and by id of the push. A client that does not keep pace is disconnected.",
].join(" ");

export const OTHER_PATHS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  "/rest-api/events": {
    get: {
      operationId: "events",
      tags: ["Events"],
      summary: EVENTS,
      security: GUARDED,
      parameters: [parameter("figures", "query", "`false` leaves out the figures.")],
      responses: {
        "200": {
          description: "Events until either side ends it.",
          content: text("text/event-stream"),
        },
        "401": refused("`unauthorized`: Credentials are missing or wrong."),
        "429": refused("`tooMany`: Too many readers, or too many requests."),
      },
    },
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      tags: ["Operation"],
      summary: "Metrics for Prometheus; see metrics.md.",
      security: GUARDED,
      responses: {
        "200": { description: "Metrics.", content: text("text/plain") },
        "401": refused("`unauthorized`: Credentials are missing or wrong."),
      },
    },
  },
  "/healthz": {
    get: {
      operationId: "health",
      tags: ["Operation"],
      summary: "Whether the process lives.",
      responses: { "200": { description: "It does.", content: json("Health") } },
    },
  },
  "/readyz": {
    get: {
      operationId: "readiness",
      tags: ["Operation"],
      summary: "Whether the server should be sent streams.",
      responses: {
        "200": { description: "It should.", content: json("Readiness") },
        "503": { description: "It should not, now.", content: json("Readiness") },
      },
    },
  },
  "/whip/{name}": {
    post: {
      operationId: "whipPublish",
      tags: ["WHIP"],
      summary: "Publishes a stream under this name (RFC 9725).",
      security: [{}, { publishToken: [] }],
      parameters: [parameter("name", "path", "Name of the stream.")],
      requestBody: { required: true, content: text("application/sdp") },
      responses: {
        "201": {
          description: "Published; `Location` is the resource that a DELETE ends.",
          content: text("application/sdp"),
        },
        "307": {
          description:
            "This node of a cluster has no room; `Location` is the same on one that has (RFC 9725, section 4.5).",
        },
        "400": refused("`badSdp`, `badRequest`: The offer or the name cannot be used."),
        "401": refused("`unauthorized`: The publish token is missing or wrong."),
        "406": refused("`noCommonCodecs`: Nothing of the offer can be received."),
        "409": refused("`streamNameInUse`: Another session publishes under this name."),
      },
    },
  },
};
