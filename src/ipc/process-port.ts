import type { ChildProcess } from "node:child_process";
import type { Port } from "./port.ts";

/** The parent's end: speaks to a forked child (serialization "advanced"). */
export function childPort(child: ChildProcess): Port {
  return processPort(child);
}

/** The child's end: speaks to the parent that forked this process. */
export function parentPort(): Port {
  return processPort(process);
}

type Channel = Pick<ChildProcess, "connected" | "send" | "disconnect"> & {
  on(event: "message", listener: (value: unknown) => void): unknown;
  once(event: "disconnect", listener: () => void): unknown;
};

function processPort(channel: NodeJS.Process | ChildProcess): Port {
  const end = channel as Channel;
  return {
    post(value) {
      if (!end.connected) return false;
      // A failed write means that the other end is going; `disconnect` tells it.
      end.send(value as object, () => undefined);
      return true;
    },
    onValue(listener) {
      end.on("message", listener);
    },
    onClose(listener) {
      end.once("disconnect", listener);
    },
    close() {
      if (end.connected) end.disconnect();
    },
  };
}
