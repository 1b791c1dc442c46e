import { readFile, stat } from 'node:fs/promises';
import { parseJson } from '../json/json.ts';
import { quoted } from '../json/quoted.ts';
import { reasonOf } from '../net/errors.ts';
import { isNumericDate } from '../net/guard/bearer-token.ts';
import { defaultClockTolerance } from './authn/verify.ts';
import { decodeConfig } from './config/decode.ts';
import type { JwtAuthnConfig } from './config/model.ts';
import { GatewayError } from './errors.ts';

/** What a gateway accepts of a token beside its signature. */
export type AcceptedTokens = Pick<JwtAuthnConfig, 'issuers' | 'audiences' | 'clockTolerance'>;

/** Bytes of a configuration that are read. */
const mostBytes = 1024 * 1024;

type TokensRead =
  | { readonly ok: true; readonly accepted: AcceptedTokens }
  | { readonly ok: false; readonly reason: GatewayError['reason']; readonly message: string };

/** Reads from the configuration of a gateway which tokens it accepts. A message names the file and the remedy. */
export async function readGatewayTokens(file: string): Promise<TokensRead> {
  try {
    const parsed = parseJson((await textOf(file)).replace(/^\uFEFF/, ''));
    if (parsed === undefined) throw new GatewayError('usage', 'is not JSON: give the file that gateway --file reads.');
    const { listener } = decodeConfig(parsed.value, (path) => path).config;
    if (listener.type === 'sse' && listener.authn !== undefined) return { ok: true, accepted: listener.authn };
    throw new GatewayError('usage', 'has no listener.authn: that gateway takes no token, and denies every call.');
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { ok: false, reason: error.reason, message: `--config=${file}: ${error.message}` };
  }
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new GatewayError('environment', `the file cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Claims of a token that nobody verified. */
type Claims = Readonly<Record<string, unknown>>;

/**
 * Says why a gateway would answer 401 to a token, whoever signed it: one sentence per reason. Empty exactly when
 * `authn/verify.ts` accepts the claims; a test holds the two together.
 *
 * @param accepted undefined: only the dates are looked at
 * @param now milliseconds since the epoch
 */
export function tokenObjections(claims: Claims, accepted: AcceptedTokens | undefined, now: number): readonly string[] {
  const objections = dateObjections(claims, Math.floor(now / 1_000), accepted?.clockTolerance ?? defaultClockTolerance);
  if (accepted === undefined) return objections;
  const { issuers, audiences } = accepted;
  const { iss, aud } = claims;
  if (issuers.length > 0 && !issuers.some((issuer) => issuer === iss)) {
    objections.push(`The issuer (iss) is ${shown(iss)}, and the gateway accepts ${listed(issuers)}: it answers 401.`);
  }
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > 0 && !audiences.some((audience) => named.includes(audience))) {
    objections.push(
      `The audience (aud) is ${shown(aud)}, and the gateway accepts ${listed(audiences)}: it answers 401.`,
    );
  }
  return objections;
}

/**
 * @param now seconds since the epoch
 * @param clockTolerance in seconds
 */
function dateObjections(claims: Claims, now: number, clockTolerance: number): string[] {
  const objections: string[] = [];
  for (const name of ['exp', 'nbf', 'iat'] as const) {
    const value = claims[name];
    if (value === undefined && name !== 'exp') continue;
    if (value === undefined) {
      objections.push('The token does not expire (it has no exp): a gateway answers 401.');
    } else if (typeof value !== 'number' || !isNumericDate(value)) {
      objections.push(`${name} is no date in seconds since 1970: a gateway answers 401.`);
    } else if (name === 'exp' && value <= now - clockTolerance) {
      objections.push(`The token expired at ${timeOf(value)}: a gateway answers 401. Get a new one.`);
    } else if (name === 'nbf' && value > now + clockTolerance) {
      objections.push(`The token is not valid before ${timeOf(value)}: a gateway answers 401 until then.`);
    } else if (name === 'iat' && value > now + clockTolerance) {
      objections.push(`The token was issued at ${timeOf(value)}, in the future: a gateway answers 401 until then.`);
    }
  }
  return objections;
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

/** Shows a claim in a message: a text or a list of them in every sensible token. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'string' ? quoted(value) : quoted(JSON.stringify(value));
}

/** Lists alternatives in a message. */
export function listed(values: readonly string[]): string {
  return values.map(quoted).join(' or ');
}
