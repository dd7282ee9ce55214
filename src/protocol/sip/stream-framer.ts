import { ProtocolError } from "../../base/protocol-error.ts";
import { headEnd, MAX_MESSAGE_BYTES, parseSipMessage, type SipMessage } from "./message.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Cuts a TCP stream into messages by Content-Length (RFC 3261, 18.3). */
export class SipStreamFramer {
  #held = NO_BYTES;
  /** Where the search for the end of the head goes on. */
  #searched = 0;
  #need = 0;

  /**
   * Every message that `chunk` completes, in order. Throws `ProtocolError` `sip.*`: then the connection is
   * of no use any more.
   */
  *push(chunk: Uint8Array): Generator<SipMessage> {
    this.#append(chunk);
    for (;;) {
      this.#skipKeepAlives();
      if (this.#held.length < this.#need) return;
      const length = this.#need > 0 ? this.#need : this.#measure();
      if (length === undefined || this.#held.length < length) return;
      const message = parseSipMessage(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
      this.#searched = 0;
      this.#need = 0;
      yield message;
    }
  }

  #append(chunk: Uint8Array): void {
    if (this.#held.length + chunk.length > 2 * MAX_MESSAGE_BYTES + (1 << 16)) {
      throw new ProtocolError("sip.size", "too much waits for the end of a message");
    }
    if (this.#held.length === 0) {
      this.#held = chunk;
      return;
    }
    const joined = new Uint8Array(this.#held.length + chunk.length);
    joined.set(this.#held);
    joined.set(chunk, this.#held.length);
    this.#held = joined;
  }

  /** Line ends between messages keep a connection alive (RFC 5626, 4.4.1). */
  #skipKeepAlives(): void {
    let at = 0;
    while (this.#held[at] === 0x0d || this.#held[at] === 0x0a) at += 1;
    if (at > 0) this.#held = this.#held.subarray(at);
  }

  /** Length of the message that begins here; undefined while its head is not complete. */
  #measure(): number | undefined {
    const end = headEnd(this.#held, this.#searched);
    if (end < 0) {
      this.#searched = Math.max(0, this.#held.length - 3);
      if (this.#held.length > MAX_MESSAGE_BYTES) {
        throw new ProtocolError("sip.size", "the head does not end");
      }
      return undefined;
    }
    const length = bodyLength(this.#held.subarray(0, end));
    if (end + length > MAX_MESSAGE_BYTES) throw new ProtocolError("sip.size", "too long");
    this.#need = end + length;
    return this.#need;
  }
}

/** Over a stream the length has to be told. */
function bodyLength(head: Uint8Array): number {
  const text = new TextDecoder("utf-8").decode(head);
  const value = /\r?\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r?\n/i.exec(text)?.[1];
  if (value === undefined) throw new ProtocolError("sip.length", "no Content-Length");
  return Number(value);
}
