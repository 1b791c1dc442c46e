import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';

/** Characters of a token that are looked at. Those of ServiceAccounts have about a thousand. */
export const maxToken = 8_192;

/** The claims of a token, such as that of a ServiceAccount, have about 20 values. */
const claimBounds = { maxValues: 500, maxDepth: 16 };

/** The content of an `Authorization` header. */
export type Bearer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'none' };

/**
 * Parses the header (RFC 6750, section 2.1). Another scheme counts as no token. Takes time in proportion to the header: this
 * is the first that a stranger's text meets.
 */
export function parseBearer(authorization: string | undefined): Bearer {
  const text = (authorization ?? '').trim();
  const end = text.search(/\s/);
  if (end === -1 || text.slice(0, end).toLowerCase() !== 'bearer') return { kind: 'none' };
  const token = text.slice(end).trim();
  // HTTP ends a header at a line feed: one that is here came from a file, or from a client that smuggles another header.
  const isOneLine = !/[\r\n]/.test(authorization ?? '');
  return isOneLine && /^[A-Za-z0-9\-._~+/]+=*$/.test(token) ? { kind: 'token', token } : { kind: 'malformed' };
}

/** The last second of the year 9999, in seconds since the epoch. A later date is none, or was written in milliseconds. */
const lastDate = Date.UTC(9999, 11, 31, 23, 59, 59) / 1_000;

/**
 * Returns whether a claim can be a date (NumericDate of RFC 7519), in seconds since the epoch. JSON can write a number that
 * is infinite for JavaScript, `1e400`, and others that no token lives to see.
 */
export function isNumericDate(seconds: number): boolean {
  return seconds >= 0 && seconds <= lastDate;
}

/**
 * Reads what a JSON Web Token (RFC 7519) says about itself; undefined for a text that is none. Nothing of it is verified: it
 * can only narrow what the verifier allows.
 */
export function readJwtClaims(token: string): JsonObject | undefined {
  const [, payload = '', signature, ...rest] = token.split('.', 4);
  if (signature === undefined || rest.length > 0) return undefined;
  const json = parseBoundedJson(Buffer.from(payload, 'base64url').toString('utf8'), claimBounds);
  return json.kind === 'json' && isJsonObject(json.value) ? json.value : undefined;
}
