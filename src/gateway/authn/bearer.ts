import type { Authentication } from '../model.ts';

/** The content of an `Authorization` header. */
export type Bearer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'none' };

/**
 * Parses the header (RFC 6750 §2.1). Another scheme counts as no token. Takes time in proportion to the header: this is
 * the first that a stranger's text meets.
 */
export function parseBearer(authorization: string | undefined): Bearer {
  const text = (authorization ?? '').trim();
  const end = text.search(/\s/);
  if (end === -1 || text.slice(0, end).toLowerCase() !== 'bearer') return { kind: 'none' };
  const token = text.slice(end).trim();
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(token) ? { kind: 'token', token } : { kind: 'malformed' };
}

const challenge = 'Bearer realm="mcp-gateway"';

/** 401 for a request without a token; the challenge has no error code (RFC 6750 §3.1). */
export function tokenMissing(): Authentication {
  const message = 'A token is required: send it as Authorization: Bearer <token>';
  return { kind: 'refused', status: 401, challenge, message };
}

/** 401 for a token that is not valid. The message is quoted in the challenge, so it must not contain quotes. */
export function tokenInvalid(message: string): Authentication {
  return {
    kind: 'refused',
    status: 401,
    challenge: `${challenge}, error="invalid_token", error_description="${message}"`,
    message,
  };
}

/** 503 while no keys are available: the token may well be valid. */
export function keysUnavailable(): Authentication {
  return {
    kind: 'refused',
    status: 503,
    message: 'The keys to verify tokens with cannot be had right now; try again later',
  };
}
