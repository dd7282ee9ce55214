/** The product's RTMP client on its own, as a push opens it. */
import type { FailureValue } from "../../src/base/failure.ts";
import { millis } from "../../src/base/time.ts";
import { systemClock } from "../../src/observe/system-clock.ts";
import { parseRtmpUrl } from "../../src/protocol/rtmp/url.ts";
import type { RtmpPublisher, RtmpPublisherOptions } from "../../src/transport/rtmp/publisher.ts";
import { openRtmpPublisher } from "../../src/transport/rtmp/rtmp-publisher.ts";

/** As a worker does it. */
const TICK_MS = 10;

export interface Publication {
  readonly publisher: RtmpPublisher;
  /** Resolves when the server takes the stream; rejects when it does not. */
  readonly accepted: Promise<void>;
  /** Why it ended. */
  readonly closed: Promise<FailureValue>;
}

export function publish(
  url: string,
  name: string | undefined,
  options: Partial<RtmpPublisherOptions> = {},
): Publication {
  let accept: () => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  let close: (failure: FailureValue) => void = () => undefined;
  const accepted = new Promise<void>((resolve, reject) => {
    accept = resolve;
    refuse = reject;
  });
  const closed = new Promise<FailureValue>((resolve) => {
    close = resolve;
  });
  accepted.catch(() => undefined);
  const publisher = openRtmpPublisher(
    {
      url: parseRtmpUrl(url, name),
      flashVersion: "FMLE/3.0 (compatible; Transponder)",
      localAddress: undefined,
      connectTimeout: millis(5000),
      writeTimeout: millis(8000),
      extraCa: undefined,
      verifyCertificate: true,
      mayConnect: () => true,
      ...options,
    },
    {
      onPublishing: () => accept(),
      onDrain: () => undefined,
      onClosed: (failure) => {
        refuse(new Error(`${failure.code}: ${failure.message}`));
        close(failure);
      },
    },
    systemClock,
  );
  const timer = setInterval(() => publisher.tick(systemClock.now()), TICK_MS);
  void closed.then(() => clearInterval(timer));
  return { publisher, accepted, closed };
}

/** Opens, waits for the server's consent and ends in order. */
export async function publishBriefly(...args: Parameters<typeof publish>): Promise<FailureValue> {
  const { publisher, accepted, closed } = publish(...args);
  await accepted;
  publisher.close();
  return closed;
}
