import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';
import { EnvironmentError } from '../../app/errors.ts';
import { isJsonObject, parseJson, textIn } from '../../json/json.ts';
import { shortened } from '../../json/quoted.ts';
import { isNumericDate } from '../../net/guard/bearer-token.ts';
import { duration } from '../flag-values.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import { claimsOfJson } from '../offline/token.ts';
import { systemClock } from '../system-clock.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

/** Runs `token`: signs claims and writes the JWT, alone on a line, so that it can be piped. */
export async function runToken(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const file = flags.optional('key');
  if (file === undefined) throw new UsageError('say which key signs: --key <file>. gatehouse keys new makes one.');
  const lifetime = duration('expires-in', flags.text('expires-in'));
  const now = Math.floor(systemClock.now() / 1_000);
  const claims = { iat: now, exp: now + Math.ceil(lifetime / 1_000), ...signable(claimsOfJson(flags.text('claims'))) };
  const { key, alg, kid } = await readKey(file);
  const token = await new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', ...(kid && { kid }) }).sign(key);
  terminal.stdout.write(`${token}\n`);
  terminal.stderr.write('note: this token is for trying things: an issuer signs the tokens of real callers.\n');
  return 0;
}

/** What a claim has to be. */
interface ClaimType {
  readonly is: (value: unknown) => boolean;
  readonly expected: string;
}

const isText = (value: unknown): boolean => typeof value === 'string';

const text: ClaimType = { is: isText, expected: 'a text' };

const date: ClaimType = {
  is: (value) => typeof value === 'number' && isNumericDate(value),
  expected: 'a number of seconds since 1970, without quotes',
};

const texts: ClaimType = { is: (value) => [value].flat().every(isText), expected: 'a text or a list of texts' };

/** The registered claims of RFC 7519, which verifiers read. */
const registered: Readonly<Record<string, ClaimType>> = {
  exp: date,
  nbf: date,
  iat: date,
  iss: text,
  sub: text,
  jti: text,
  aud: texts,
};

/** @throws UsageError for a registered claim of another type: verifiers refuse such a token, or read it differently */
function signable(claims: ReturnType<typeof claimsOfJson>): ReturnType<typeof claimsOfJson> {
  for (const [name, { is, expected }] of Object.entries(registered)) {
    if (!Object.hasOwn(claims, name) || is(claims[name])) continue;
    throw new UsageError(`--claims: ${name} is ${shortened(JSON.stringify(claims[name]))}: write ${expected}.`);
  }
  return claims;
}

/** Reads a private key. Messages repeat no part of it. */
async function readKey(file: string): Promise<{
  readonly key: Awaited<ReturnType<typeof importJWK>>;
  readonly alg: string;
  readonly kid: string | undefined;
}> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new EnvironmentError(
      `--key=${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const parsed = parseJson(text)?.value;
  const alg = textIn(parsed, 'alg') ?? 'ES256';
  if (!isJsonObject(parsed) || textIn(parsed, 'd') === undefined) {
    throw new UsageError(`--key=${file} is no private key (a JWK with "d"): gatehouse keys new makes one.`);
  }
  try {
    const jwk: JWK = { ...parsed };
    return { key: await importJWK(jwk, alg), alg, kid: textIn(parsed, 'kid') };
  } catch {
    throw new UsageError(`--key=${file} is a key that cannot sign with ${alg}: gatehouse keys new makes one.`);
  }
}
