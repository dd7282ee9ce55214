/** Text of one server-sent event (HTML standard, "Server-sent events"). */
export function eventText(name: string, data: unknown, id?: number): string {
  const first = id === undefined ? "" : `id: ${id}\n`;
  return `${first}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Keeps proxies from closing a silent connection. */
export const HEARTBEAT = ":\n\n";

/** How long a client waits before it connects again. */
export const retryText = (ms: number): string => `retry: ${ms}\n\n`;
