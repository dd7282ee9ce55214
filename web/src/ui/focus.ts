/** Takes the focus on, when what had it is about to go, so that a keyboard keeps its place. */
export function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}

/** Heading of a stream's card. */
export const streamHeading = (mediaSessionId: string): string => `stream-${mediaSessionId}`;
