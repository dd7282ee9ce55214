/** Process of the channel's tests: answers its parent and ends when the channel closes. */
import { Failure } from "../../src/base/failure.ts";
import { Answerer } from "../../src/ipc/channel.ts";
import { parentPort } from "../../src/ipc/process-port.ts";

export interface EchoRequests {
  readonly echo: { in: unknown; out: unknown };
  readonly refuse: { in: string; out: never };
  readonly never: { in: null; out: never };
}

export interface EchoEvent {
  readonly serial: number;
}

const port = parentPort();
let serial = 0;
const answerer = new Answerer<EchoRequests, EchoEvent>(
  port,
  { timeout: "late", closed: "gone", internal: "bug" },
  {
    echo: (value) => {
      serial += 1;
      answerer.emit({ serial });
      return value;
    },
    refuse: (text) => {
      throw new Failure("refused", text);
    },
    never: () => new Promise<never>(() => undefined),
  },
  () => undefined,
);
port.onClose(() => process.exit(0));
