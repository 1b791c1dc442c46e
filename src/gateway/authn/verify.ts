import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, type ResolvedKey } from 'jose';
import { algorithms } from '../../jwk/jwk.ts';
import { isNumericDate } from '../../net/guard/bearer-token.ts';
import type { JwtAuthnConfig } from '../config/model.ts';
import type { KeySet } from './key-set.ts';

/** Accepted clock skew in seconds where none is configured, the same as in the deployed gateways. */
export const defaultClockTolerance = 60;

/** The result of verifying a token. */
export type Verification =
  | {
      readonly kind: 'verified';
      readonly claims: JWTPayload;
      /** The key that signed the token. */
      readonly key: CryptoKey;
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
export type Expectations = Pick<JwtAuthnConfig, 'issuers' | 'audiences' | 'clockTolerance'>;

/**
 * Verifies the signature, issuer, audience and times of a token. `exp` is required. `iss` and `aud` are checked, and
 * required, when the configuration lists values for them. A token whose `nbf` or `iat` is in the future is invalid, and
 * so is one with a date that is not finite, before 1970 or after the year 9999.
 *
 * @param now milliseconds since the epoch
 */
export async function verify(token: string, keys: KeySet, expected: Expectations, now: number): Promise<Verification> {
  const { clockTolerance = defaultClockTolerance } = expected;
  try {
    const { claims, key } = await verifiedClaims(token, keys, {
      algorithms: [...algorithms],
      ...(expected.issuers.length > 0 ? { issuer: [...expected.issuers] } : {}),
      ...(expected.audiences.length > 0 ? { audience: [...expected.audiences] } : {}),
      requiredClaims: ['exp'],
      clockTolerance,
      currentDate: new Date(now),
    });
    const notADate = (['exp', 'nbf', 'iat'] as const).find((name) => !isNumericDate(claims[name] ?? 0));
    if (notADate !== undefined) return invalidClaim('ERR_JWT_DATE', notADate);
    if (claims.exp === undefined) return invalid('ERR_JWT_NO_EXP', 'The token does not expire');
    if (claims.iat !== undefined && !(claims.iat <= now / 1_000 + clockTolerance)) {
      return invalid('ERR_JWT_IAT', 'The token was issued in the future');
    }
    return { kind: 'verified', claims, key, expiresAt: expiryOf(claims.exp, now, clockTolerance) };
  } catch (error) {
    return invalidBecause(error);
  }
}

/** An accepted request must get its response, so its stream must not be over before it begins. */
function expiryOf(exp: number, now: number, clockTolerance: number): number {
  const expiry = exp * 1_000 > now ? exp : exp + clockTolerance;
  return expiry * 1_000;
}

interface VerifiedToken {
  readonly claims: JWTPayload;
  readonly key: CryptoKey;
}

/** Keys that a token is tried with that names none: whoever has no token at all makes the gateway try them. */
const maxTries = 16;

/** Verifies with each key when several match a token without `kid`; jose provides them with its error. */
async function verifiedClaims(token: string, keys: KeySet, options: JWTVerifyOptions): Promise<VerifiedToken> {
  try {
    const { payload, key } = await jwtVerify(token, keys.find, options);
    return { claims: payload, key: publicKey(key) };
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tries = 0;
    for await (const key of error) {
      tries += 1;
      if (tries > maxTries) throw error;
      try {
        return { claims: (await jwtVerify(token, key, options)).payload, key };
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Narrows the type: a key set holds no secrets, which would be bytes. */
function publicKey(key: ResolvedKey['key']): CryptoKey {
  if (key instanceof Uint8Array) throw new errors.JOSENotSupported('a shared secret');
  return key;
}

function invalid(code: string, message: string, keyMissing = false): Verification {
  return { kind: 'invalid', code, message, keyMissing };
}

function invalidClaim(code: string, claim: string): Verification {
  return invalid(code, `The claim ${claim} is missing or not what this gateway accepts`);
}

/**
 * Maps an error to the result. Any unknown error, also one of the platform about a key, means that the token is
 * invalid.
 */
function invalidBecause(error: unknown): Verification {
  if (error instanceof errors.JWTExpired) return invalid(error.code, 'The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return invalidClaim(error.code, error.claim);
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid(error.code, 'No key of this gateway fits the token', true);
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalid(error.code, 'The signature of the token does not fit', true);
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return invalid(
      error.code,
      `The token names no key (kid), and none of the first ${maxTries} that may be meant fits`,
    );
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return invalid(error.code, 'The token is signed in a way that is not accepted');
  }
  return invalid(error instanceof errors.JOSEError ? error.code : 'ERR_OTHER', 'The token cannot be read');
}
