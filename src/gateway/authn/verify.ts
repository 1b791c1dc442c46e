import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtAuthnConfig } from '../config/model.ts';
import { algorithms } from './jwk.ts';
import type { KeySet } from './key-set.ts';

/** Seconds by which clocks may differ; what deployed gateways allow. */
const tolerance = 60;

/** What came of looking at a token. */
export type Verification =
  | {
      readonly kind: 'verified';
      readonly claims: JWTPayload;
      /** Milliseconds since the epoch, from `exp`; for a token that is accepted after that, when it is not any more. */
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'invalid';
      /** Whether other keys could make it valid. */
      readonly keyMissing: boolean;
      /** A fixed word for the log. */
      readonly code: string;
      /** For the client; fixed text without quotes, nothing of the token. */
      readonly message: string;
    };

/** The part of the configuration that tokens are measured against. */
export type Expectations = Pick<JwtAuthnConfig, 'issuers' | 'audiences'>;

/**
 * Verifies signature, issuer, audience and times of a token. `exp` is required; `iss` and `aud` are checked, and then
 * required, when the configuration lists any. A token from the future (`nbf`, `iat`) is as invalid as an expired one.
 *
 * @param now milliseconds since the epoch
 */
export async function verify(token: string, keys: KeySet, expected: Expectations, now: number): Promise<Verification> {
  try {
    const claims = await verifiedClaims(token, keys, {
      algorithms: [...algorithms],
      ...(expected.issuers.length > 0 ? { issuer: [...expected.issuers] } : {}),
      ...(expected.audiences.length > 0 ? { audience: [...expected.audiences] } : {}),
      requiredClaims: ['exp'],
      clockTolerance: tolerance,
      currentDate: new Date(now),
    });
    if (typeof claims.exp !== 'number') return invalid('ERR_JWT_NO_EXP', 'The token does not expire');
    if (claims.iat !== undefined && !(claims.iat <= now / 1000 + tolerance)) {
      return invalid('ERR_JWT_IAT', 'The token was issued in the future');
    }
    return { kind: 'verified', claims, expiresAt: expiryOf(claims.exp, now) };
  } catch (error) {
    return rejection(error);
  }
}

/** A request that is accepted must be able to get its answer, so its stream must not be over before it began. */
function expiryOf(exp: number, now: number): number {
  const expiry = exp * 1000 > now ? exp : exp + tolerance;
  return Math.min(expiry * 1000, Number.MAX_SAFE_INTEGER);
}

/** When several keys fit a token that names none, each is tried (jose hands them over with its error). */
async function verifiedClaims(token: string, keys: KeySet, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function invalid(code: string, message: string, keyMissing = false): Verification {
  return { kind: 'invalid', code, message, keyMissing };
}

/** Whatever else fails, down to the platform's own errors about a key, means that the token is not verified. */
function rejection(error: unknown): Verification {
  if (error instanceof errors.JWTExpired) return invalid(error.code, 'The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(error.code, `The claim ${error.claim} is missing or not what this gateway accepts`);
  }
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid(error.code, 'No key of this gateway fits the token', true);
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalid(error.code, 'The signature of the token does not fit', true);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return invalid(error.code, 'The token is signed in a way that is not accepted');
  }
  return invalid(error instanceof errors.JOSEError ? error.code : 'ERR_OTHER', 'The token cannot be read');
}
