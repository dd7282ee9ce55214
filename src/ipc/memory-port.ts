import type { Port } from "./port.ts";

/** Both ends of a pipe inside one process. Values are copied, as between processes. */
export function memoryPorts(): readonly [Port, Port] {
  const left = new MemoryPort();
  const right = new MemoryPort();
  left.join(right);
  right.join(left);
  return [left, right];
}

class MemoryPort implements Port {
  #other: MemoryPort | undefined;
  #onValue: (value: unknown) => void = () => undefined;
  #onClose: () => void = () => undefined;

  join(other: MemoryPort): void {
    this.#other = other;
  }

  post(value: unknown): boolean {
    const other = this.#other;
    if (other === undefined) return false;
    const copy = structuredClone(value);
    queueMicrotask(() => other.#onValue(copy));
    return true;
  }

  onValue(listener: (value: unknown) => void): void {
    this.#onValue = listener;
  }

  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  close(): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#other = undefined;
    other.#other = undefined;
    queueMicrotask(() => other.#onClose());
  }
}
