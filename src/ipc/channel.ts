import { Failure, type FailureValue } from "../base/failure.ts";
import type { Millis } from "../base/time.ts";
import type { Port } from "./port.ts";

/** Argument and answer of each request, by kind. */
export type Requests<R> = {
  readonly [K in keyof R]: { readonly in: unknown; readonly out: unknown };
};

/** The answering side: one function a kind. What it throws as `Failure` reaches the asker as such. */
export type Handlers<R extends Requests<R>> = {
  readonly [K in keyof R]: (arg: R[K]["in"]) => R[K]["out"] | Promise<R[K]["out"]>;
};

export interface RequestOptions {
  /** Rejects with `ipcTimeout` when no answer came by then. */
  readonly deadline: Millis;
  readonly signal?: AbortSignal;
}

/** Codes of the failures that the channel itself causes. */
export interface ChannelFailures {
  readonly timeout: string;
  readonly closed: string;
  readonly internal: string;
}

type Wire =
  | { readonly type: "request"; readonly id: number; readonly kind: string; readonly arg: unknown }
  | { readonly type: "answer"; readonly id: number; readonly out: unknown }
  | { readonly type: "failure"; readonly id: number; readonly failure: FailureValue }
  | { readonly type: "event"; readonly event: unknown };

interface Waiting {
  resolve(out: unknown): void;
  reject(error: Error): void;
}

/** The asking side of a port. */
export class Asker<R extends Requests<R>, Event> {
  readonly #port: Port;
  readonly #codes: ChannelFailures;
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #closed = false;

  constructor(port: Port, codes: ChannelFailures, onEvent: (event: Event) => void) {
    this.#port = port;
    this.#codes = codes;
    port.onValue((value) => this.#onValue(value as Wire, onEvent));
    port.onClose(() => this.#onClose());
  }

  /** Rejects with `Failure`: the answerer's own, or one of the channel. */
  request<K extends keyof R & string>(
    kind: K,
    arg: R[K]["in"],
    { deadline, signal }: RequestOptions,
  ): Promise<R[K]["out"]> {
    if (this.#closed) return Promise.reject(this.#gone());
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    this.#serial += 1;
    const id = this.#serial;
    return new Promise<R[K]["out"]>((resolve, reject) => {
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const timer = setTimeout(() => {
        const message = `no answer to ${kind} within ${deadline} ms`;
        settle(() => reject(new Failure(this.#codes.timeout, message)));
      }, deadline);
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#waiting.delete(id);
        finish();
      };
      this.#waiting.set(id, {
        resolve: (out) => settle(() => resolve(out as R[K]["out"])),
        reject: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener("abort", abort);
      try {
        if (!this.#port.post({ type: "request", id, kind, arg } satisfies Wire)) this.#onClose();
      } catch (error) {
        // What cannot be copied to the other side fails here and now.
        settle(() => reject(error));
      }
    });
  }

  close(): void {
    this.#onClose();
    this.#port.close();
  }

  #onValue(value: Wire, onEvent: (event: Event) => void): void {
    if (value.type === "event") onEvent(value.event as Event);
    else if (value.type === "answer") this.#waiting.get(value.id)?.resolve(value.out);
    else if (value.type === "failure") {
      const { code, message } = value.failure;
      this.#waiting.get(value.id)?.reject(new Failure(code, message));
    }
  }

  #onClose(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#gone());
  }

  #gone(): Failure {
    return new Failure(this.#codes.closed, "the other side is gone");
  }
}

/** The answering side of a port. */
export class Answerer<R extends Requests<R>, Event> {
  readonly #port: Port;
  readonly #codes: ChannelFailures;

  /** `onBug` learns what a handler threw that is no `Failure`. */
  constructor(
    port: Port,
    codes: ChannelFailures,
    handlers: Handlers<R>,
    onBug: (error: unknown) => void,
  ) {
    this.#port = port;
    this.#codes = codes;
    port.onValue((value) => {
      const wire = value as Wire;
      if (wire.type === "request") void this.#answer(wire.id, wire.kind, wire.arg, handlers, onBug);
    });
  }

  emit(event: Event): void {
    this.#port.post({ type: "event", event } satisfies Wire);
  }

  async #answer(
    id: number,
    kind: string,
    arg: unknown,
    handlers: Handlers<R>,
    onBug: (error: unknown) => void,
  ): Promise<void> {
    try {
      const handler = Object.hasOwn(handlers, kind) ? handlers[kind as keyof R] : undefined;
      if (handler === undefined) throw new Failure(this.#codes.internal, `no handler for ${kind}`);
      const out = await handler(arg as R[keyof R]["in"]);
      this.#port.post({ type: "answer", id, out } satisfies Wire);
    } catch (error) {
      const known = error instanceof Failure;
      if (!known) onBug(error);
      const failure = known
        ? error.toValue()
        : { code: this.#codes.internal, message: "a defect of the worker" };
      this.#port.post({ type: "failure", id, failure } satisfies Wire);
    }
  }
}
