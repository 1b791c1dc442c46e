import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtAuthnConfig } from '../config/model.ts';
import { algorithms } from './jwk.ts';
import type { KeySet } from './key-set.ts';

/** Accepted clock skew in seconds, the same as in the deployed gateways. */
const clockTolerance = 60;

/** The result of verifying a token. */
export type Verification =
  | {
      readonly kind: 'verified';
      readonly claims: JWTPayload;
      /** Milliseconds since the epoch: `exp`, or for a token accepted after `exp`, the end of the clock tolerance. */
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'invalid';
      /** True when the token could be valid with other keys. */
      readonly keyMissing: boolean;
      /** A fixed code for the log. */
      readonly code: string;
      /** A fixed text for the client, without quotes and without any part of the token. */
      readonly message: string;
    };

/** The expected claims. */
export type Expectations = Pick<JwtAuthnConfig, 'issuers' | 'audiences'>;

/**
 * Verifies the signature, issuer, audience and times of a token. `exp` is required. `iss` and `aud` are checked, and
 * required, when the configuration lists values for them. A token whose `nbf` or `iat` is in the future is invalid.
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
      clockTolerance,
      currentDate: new Date(now),
    });
    if (typeof claims.exp !== 'number') return invalid('ERR_JWT_NO_EXP', 'The token does not expire');
    if (claims.iat !== undefined && !(claims.iat <= now / 1_000 + clockTolerance)) {
      return invalid('ERR_JWT_IAT', 'The token was issued in the future');
    }
    return { kind: 'verified', claims, expiresAt: expiryOf(claims.exp, now) };
  } catch (error) {
    return invalidBecause(error);
  }
}

/** An accepted request must get its response, so its stream must not be over before it begins. */
function expiryOf(exp: number, now: number): number {
  const expiry = exp * 1_000 > now ? exp : exp + clockTolerance;
  return Math.min(expiry * 1_000, Number.MAX_SAFE_INTEGER);
}

/** Verifies with each key when several match a token without `kid`; jose provides them with its error. */
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

/**
 * Maps an error to the result. Any unknown error, also one of the platform about a key, means that the token is
 * invalid.
 */
function invalidBecause(error: unknown): Verification {
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
