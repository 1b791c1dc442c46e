import { decodeJwt, decodeProtectedHeader } from 'jose';
import { EnvironmentError } from '../../app/errors.ts';
import type { Claims, TokenSigners } from '../../explain/model.ts';
import {
  type AcceptedTokens,
  listed,
  readGatewayTokens,
  shown,
  tokenObjections,
} from '../../gateway/token-objections.ts';
import { UsageError } from '../flags.ts';

/** Characters of a token that are decoded: no HTTP server takes a longer header. */
const longest = 64 * 1024;

/** What a token says of itself. */
export interface DecodedToken {
  readonly claims: Claims;
  /** The id of the key that signed it; undefined when it names none. */
  readonly keyId: string | undefined;
}

/** Decodes a JWT without verifying it. Never repeats the token, or a part of it. */
export function decodeToken(text: string): DecodedToken {
  const token = text.trim().replace(/^Bearer\s+/i, '');
  if (token.length > longest)
    throw new UsageError(`--token is longer than ${longest} characters, which no gateway takes.`);
  try {
    return { claims: decodeJwt(token), keyId: keyIdOf(token) };
  } catch {
    throw new UsageError(
      '--token is no JWT: three parts of base64url with dots between them, the second a JSON object. ' +
        'One in a file is read with --token - < token.txt.',
    );
  }
}

function keyIdOf(token: string): string | undefined {
  try {
    const { kid }: { readonly kid?: unknown } = decodeProtectedHeader(token);
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
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

/** What is said of a token beside the rules. */
export interface TokenNotes {
  readonly notes: readonly string[];
  /** A gateway answers 401, whatever the rules say. */
  readonly isRefused: boolean;
}

/**
 * What a gateway would object to before it reads any rule.
 *
 * @param config the file of the gateway's configuration; undefined: only the dates are looked at
 * @param now in milliseconds
 */
export async function tokenNotes(claims: Claims, config: string | undefined, now: number): Promise<TokenNotes> {
  const accepted = config === undefined ? undefined : await acceptedTokens(config);
  const checked =
    accepted === undefined ? 'a gateway does that, and checks issuer and audience' : 'the gateway does that';
  const objections = tokenObjections(claims, accepted, now);
  const notes = [`The signature was not verified: ${checked}.`, ...objections];
  return { notes, isRefused: objections.length > 0 };
}

/** Key ids that a message lists. */
const mostListed = 8;

/**
 * Why agentgateway nodes of a Gateway would answer 401 to a token, whoever signed it: one sentence per reason, with the
 * remedy. Beside dates, which {@link tokenNotes} is about, it is empty exactly when they take the token.
 */
export function signerObjections({ claims, keyId }: DecodedToken, signers: TokenSigners): readonly string[] {
  if (signers.problem !== undefined) return [signers.problem];
  const objections: string[] = [];
  const keyIds = signers.providers.flatMap((provider) => provider.keyIds);
  const ofKey = signers.providers.find((provider) => keyId !== undefined && provider.keyIds.includes(keyId));
  const answers = 'agentgateway nodes answer 401';
  if (keyId === undefined) {
    objections.push(`The token names no key (kid), by which keys are found: ${answers}. Have its issuer name it.`);
  } else if (ofKey === undefined) {
    const more = keyIds.length > mostListed ? ` and ${keyIds.length - mostListed} more` : '';
    objections.push(
      `The key (kid) is ${shown(keyId)}, and spec.jwt has ${listed(keyIds.slice(0, mostListed))}${more}: ${answers}. Write the present keys of the issuer, or its jwks.uri.`,
    );
  }
  const { iss, aud } = claims;
  const issuers = ofKey === undefined ? signers.providers.map(({ issuer }) => issuer) : [ofKey.issuer];
  if (!issuers.some((issuer) => textsIn(iss).includes(issuer))) {
    const forKey = ofKey === undefined ? '' : ' for this key';
    objections.push(
      `The issuer (iss) is ${shown(iss)}, and spec.jwt has ${listed(issuers)}${forKey}: ${answers}. Write a provider for it, or get a token of another issuer.`,
    );
  }
  const audiences = (ofKey ?? signers.providers.find(({ issuer }) => textsIn(iss).includes(issuer)))?.audiences ?? [];
  if (audiences.length > 0 && !audiences.some((audience) => textsIn(aud).includes(audience))) {
    objections.push(
      `The audience (aud) is ${shown(aud)}, and spec.jwt has ${listed(audiences)}: ${answers}. Get a token for one of these, or write the other one.`,
    );
  }
  return objections;
}

/** The texts of a claim that is a text or a list of nothing else; none for another one, which matches nothing. */
function textsIn(claim: unknown): readonly string[] {
  const texts = [claim].flat();
  return texts.every((text) => typeof text === 'string') ? texts : [];
}

async function acceptedTokens(config: string): Promise<AcceptedTokens> {
  const read = await readGatewayTokens(config);
  if (read.ok) return read.accepted;
  throw read.reason === 'usage' ? new UsageError(read.message) : new EnvironmentError(read.message);
}
