import { decodeJwt } from 'jose';
import { EnvironmentError } from '../../app/errors.ts';
import type { Claims } from '../../explain/model.ts';
import { type AcceptedTokens, readGatewayTokens, tokenObjections } from '../../gateway/token-objections.ts';
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

/**
 * What a gateway would object to before it reads any rule.
 *
 * @param config the file of the gateway's configuration; undefined: only the dates are looked at
 * @param now in milliseconds
 */
export async function tokenNotes(claims: Claims, config: string | undefined, now: number): Promise<readonly string[]> {
  const accepted = config === undefined ? undefined : await acceptedTokens(config);
  const checked =
    accepted === undefined ? 'a gateway does that, and checks issuer and audience' : 'the gateway does that';
  return [`The signature was not verified: ${checked}.`, ...tokenObjections(claims, accepted, now)];
}

async function acceptedTokens(config: string): Promise<AcceptedTokens> {
  const read = await readGatewayTokens(config);
  if (read.ok) return read.accepted;
  throw read.reason === 'usage' ? new UsageError(read.message) : new EnvironmentError(read.message);
}
