/** Credentials, kept for as long as the tab lives. */
const REST = "transponder-rest";
const PUBLISH = "transponder-publish";

/** Whether credentials for the REST interface were entered. */
export const hasCredentials = (): boolean => sessionStorage.getItem(REST) !== null;

export function storeToken(token: string): void {
  sessionStorage.setItem(REST, `Bearer ${token}`);
}

export function storePassword(user: string, password: string): void {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  sessionStorage.setItem(REST, `Basic ${btoa(String.fromCharCode(...bytes))}`);
}

/** Header that presents the credentials; none without them. */
export function authorization(): Record<string, string> {
  const stored = sessionStorage.getItem(REST);
  return stored === null ? {} : { authorization: stored };
}

/** Token that publishers and players show over the WebSocket; "" without one. */
export const publishToken = (): string => sessionStorage.getItem(PUBLISH) ?? "";

export function storePublishToken(token: string): void {
  sessionStorage.setItem(PUBLISH, token);
}
