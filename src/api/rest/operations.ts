/** Every operation of REST: where it is, what it takes, answers and refuses. Routes and OpenAPI are made of it. */
import { checkAnswer, pushAnswer, streamAnswer } from "./answers.ts";
import { CALL_OPERATIONS } from "./call-operations.ts";
import { NODE_OPERATIONS } from "./node-operations.ts";
import { type Operation, operation } from "./operation.ts";
import { RULE_OPERATIONS } from "./rule-operations.ts";
import {
  checkBody,
  findBody,
  pushIdBody,
  soundBody,
  startupBody,
  streamFindBody,
  streamTerminateBody,
} from "./schemas.ts";

export const OPERATIONS = {
  pushStartup: operation({
    path: "/push/startup",
    summary: "Starts a push: republishes a stream to an RTMP server.",
    body: startupBody,
    answer: pushAnswer,
    refusals: [
      "badRequest",
      "badUrl",
      "hostUnknown",
      "addressForbidden",
      "streamNotFound",
      "soundFileNotFound",
      "soundFileInvalid",
      "pushExists",
      "tooMany",
      "overloaded",
    ],
  }),
  pushFind: operation({
    path: "/push/find",
    summary: "Finds pushes by the published or the source's name, and by the RTMP URL.",
    body: findBody,
    answer: pushAnswer,
    list: true,
    refusals: ["badRequest", "pushNotFound"],
  }),
  pushFindAll: operation({
    path: "/push/find_all",
    methods: ["GET", "POST"],
    summary: "All pushes.",
    answer: pushAnswer,
    list: true,
    refusals: ["pushNotFound"],
  }),
  pushTerminate: operation({
    path: "/push/terminate",
    summary: "Ends a push.",
    body: pushIdBody,
    refusals: ["badRequest", "pushNotFound"],
  }),
  pushMute: operation({
    path: "/push/mute",
    summary: "Sends silence instead of sound.",
    body: pushIdBody,
    refusals: ["badRequest", "pushNotFound"],
  }),
  pushUnmute: operation({
    path: "/push/unmute",
    summary: "Sends sound again.",
    body: pushIdBody,
    refusals: ["badRequest", "pushNotFound"],
  }),
  pushSoundOn: operation({
    path: "/push/sound_on",
    summary: "Sends a sound file of the media directory instead of the live sound.",
    body: soundBody,
    refusals: ["badRequest", "pushNotFound", "soundFileNotFound", "soundFileInvalid"],
  }),
  pushSoundOff: operation({
    path: "/push/sound_off",
    summary: "Returns to the live sound.",
    body: pushIdBody,
    refusals: ["badRequest", "pushNotFound"],
  }),
  pushCheck: operation({
    path: "/push/check",
    summary:
      "Dry run: goes the whole way to a destination without sending media. What fails is in the answer, which is 200 all the same.",
    body: checkBody,
    answer: checkAnswer,
    refusals: ["badRequest", "tooMany", "overloaded"],
  }),
  ...RULE_OPERATIONS,
  streamFind: operation({
    path: "/stream/find",
    summary: "Finds published streams.",
    body: streamFindBody,
    answer: streamAnswer,
    list: true,
    refusals: ["badRequest", "streamNotFound"],
  }),
  streamFindAll: operation({
    path: "/stream/find_all",
    methods: ["GET", "POST"],
    summary: "All published streams.",
    answer: streamAnswer,
    list: true,
    refusals: ["streamNotFound"],
  }),
  streamTerminate: operation({
    path: "/stream/terminate",
    summary: "Ends streams; an empty filter ends all.",
    body: streamTerminateBody,
    refusals: ["badRequest", "streamNotFound"],
  }),
  ...CALL_OPERATIONS,
  ...NODE_OPERATIONS,
} as const satisfies Record<string, Operation>;
