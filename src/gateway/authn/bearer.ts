import type { Authentication } from '../model.ts';

/** What an `Authorization` header holds. */
export type Bearer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'none' };

/** Reads the header as RFC 6750 §2.1 writes it; another scheme is no token. */
export function readBearer(authorization: string | undefined): Bearer {
  const { scheme, rest } = /^\s*(?<scheme>[^\s]+)\s*(?<rest>.*?)\s*$/s.exec(authorization ?? '')?.groups ?? {};
  if (scheme?.toLowerCase() !== 'bearer' || rest === undefined || rest === '') return { kind: 'none' };
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(rest) ? { kind: 'token', token: rest } : { kind: 'malformed' };
}

const challenge = 'Bearer realm="mcp-gateway"';

/** 401 for a request without a token: no error code, RFC 6750 §3.1. */
export function tokenMissing(): Authentication {
  const message = 'A token is required: send it as Authorization: Bearer <token>';
  return { kind: 'refused', status: 401, challenge, message };
}

/** 401 for a token that is not accepted. The message stands in the challenge, so it must hold no quotes. */
export function tokenInvalid(message: string): Authentication {
  return {
    kind: 'refused',
    status: 401,
    challenge: `${challenge}, error="invalid_token", error_description="${message}"`,
    message,
  };
}

/** 503: it is not the token's fault. */
export function cannotVerify(): Authentication {
  return {
    kind: 'refused',
    status: 503,
    message: 'The keys to verify tokens with cannot be had right now; try again later',
  };
}
