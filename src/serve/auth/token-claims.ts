import { isNumericDate, maxToken, parseBearer, readJwtClaims } from '../../net/guard/bearer-token.ts';

/** What a token says about itself, before anybody has verified it. */
export type TokenReading =
  | { readonly kind: 'token'; readonly token: string; readonly expires: number; readonly audiences: readonly string[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * Reads the token of a stream, and what it says about its end and its audiences. Nothing of that is verified: it only
 * spares the verifier a token that it would refuse, and bounds how long an answer of the verifier counts.
 *
 * @param headers every value of the request header `authorization`
 */
export function readToken(headers: readonly string[]): TokenReading {
  const [header, ...others] = headers;
  if (header === undefined) return { kind: 'absent' };
  if (others.length > 0) return unusable('there are several authorization headers; send one');
  const bearer = parseBearer(header);
  if (bearer.kind !== 'token') {
    return unusable('the authorization header is not "Bearer <token>" on one line; is the file of the token empty?');
  }
  const { token } = bearer;
  if (token.length > maxToken) return unusable(`the token has more than ${maxToken} characters`);
  return readClaims(token);
}

function readClaims(token: string): TokenReading {
  const claims = readJwtClaims(token);
  if (claims === undefined) {
    return unusable('the token is no JSON Web Token; mount a projected one (serviceAccountToken with audience)');
  }
  const { exp, aud } = claims;
  if (typeof exp !== 'number' || !isNumericDate(exp)) {
    return unusable('the token does not expire (exp); mount a projected one (serviceAccountToken with audience)');
  }
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string');
  return { kind: 'token', token, expires: exp * 1_000, audiences };
}

function unusable(problem: string): TokenReading {
  return { kind: 'unusable', problem };
}
