/** Operations on SIP calls. */
import { callAnswer } from "./answers.ts";
import { callFindBody, callIdBody, callStartupBody, dtmfBody } from "./call-schemas.ts";
import { operation } from "./operation.ts";

export const CALL_OPERATIONS = {
  callStartup: operation({
    path: "/call/startup",
    summary:
      "Calls somebody over SIP; what comes back becomes a stream. The stream's name is reserved at once.",
    body: callStartupBody,
    refusals: ["badRequest", "callExists", "streamNameInUse", "tooMany", "overloaded"],
  }),
  callFind: operation({
    path: "/call/find",
    summary: "Finds calls that go on, and those that ended in the last 12 seconds.",
    body: callFindBody,
    answer: callAnswer,
    list: true,
    refusals: ["badRequest", "callNotFound"],
  }),
  callFindAll: operation({
    path: "/call/find_all",
    methods: ["GET", "POST"],
    summary: "All calls that go on, and those that ended in the last 12 seconds.",
    answer: callAnswer,
    list: true,
    refusals: ["callNotFound"],
  }),
  callTerminate: operation({
    path: "/call/terminate",
    summary: "Hangs up.",
    body: callIdBody,
    refusals: ["badRequest", "callNotFound"],
  }),
  callSendDtmf: operation({
    path: "/call/send_dtmf",
    summary: "Presses keys of a telephone: in the media (RFC 4733), or in the signalling (INFO).",
    body: dtmfBody,
    refusals: ["badRequest", "callNotFound", "callNotReady"],
  }),
} as const;
