import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';

/** Characters of a token. Those of ServiceAccounts have about a thousand. */
const maxToken = 8_192;

/** The claims of a ServiceAccount's token have about 20 values. */
const claimBounds = { maxValues: 500, maxDepth: 16 };

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
  const token = /^bearer +(?<token>[A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.groups?.['token'];
  if (token === undefined) {
    return unusable('the authorization header is not "Bearer <token>" on one line; is the file of the token empty?');
  }
  if (token.length > maxToken) return unusable(`the token has more than ${maxToken} characters`);
  return readClaims(token);
}

function readClaims(token: string): TokenReading {
  const [, payload = '', signature, ...rest] = token.split('.');
  const json = parseBoundedJson(Buffer.from(payload, 'base64url').toString('utf8'), claimBounds);
  if (signature === undefined || rest.length > 0 || json.kind !== 'json' || !isJsonObject(json.value)) {
    return unusable('the token is no JSON Web Token; mount a projected one (serviceAccountToken with audience)');
  }
  const { exp, aud } = json.value;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) {
    return unusable('the token does not expire (exp); mount a projected one (serviceAccountToken with audience)');
  }
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string');
  return { kind: 'token', token, expires: exp * 1_000, audiences };
}

function unusable(problem: string): TokenReading {
  return { kind: 'unusable', problem };
}
