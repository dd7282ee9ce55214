/** The token of an `Authorization` header (RFC 6750, section 2.1); undefined when it holds none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9\-._~+/]{1,4096}=*)$/i.exec(header?.trim() ?? "")?.[1];
}
