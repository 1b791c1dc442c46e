import { decodeJwt } from 'jose';
import type { Claims } from '../../explain/model.ts';
import { UsageError } from '../flags.ts';

/** Characters of a token that are decoded: no HTTP server takes a longer header. */
const longest = 64 * 1024;

/** Decodes the claims of a JWT without verifying it. Never repeats the token, or a part of it. */
export function claimsOfToken(text: string): Claims {
  const token = text.trim().replace(/^Bearer\s+/i, '');
  if (token.length > longest)
    throw new UsageError(`--token is longer than ${longest} characters, which no gateway takes.`);
  try {
    return decodeJwt(token);
  } catch {
    throw new UsageError(
      '--token is no JWT: three parts of base64url with dots between them, the second a JSON object.',
    );
  }
}

/** Decodes `--claims`. Never repeats the text. */
export function claimsOfJson(text: string): Claims {
  const claims = parse(text);
  if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return { ...claims };
  throw new UsageError(`--claims is a JSON object, for example '{"sub":"me"}'.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--claims is not JSON: write an object, for example '{"sub":"me"}'.`);
  }
}

/** What a gateway would object to before it reads any rule. `now` in milliseconds. */
export function tokenNotes({ exp, nbf }: Claims, now: number): readonly string[] {
  const notes = ['The signature was not verified: a gateway does that, and checks issuer and audience.'];
  if (typeof exp === 'number' && exp * 1000 <= now) {
    notes.push(`The token expired at ${timeOf(exp)}: a gateway answers 401. Get a new one.`);
  }
  if (typeof nbf === 'number' && nbf * 1000 > now) {
    notes.push(`The token is not valid before ${timeOf(nbf)}: a gateway answers 401 until then.`);
  }
  return notes;
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString();
}
