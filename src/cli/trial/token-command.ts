import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';
import { EnvironmentError } from '../../app/errors.ts';
import { isJsonObject, parseJson, textIn } from '../../json/json.ts';
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
  const claims = { iat: now, exp: now + Math.ceil(lifetime / 1_000), ...claimsOfJson(flags.text('claims')) };
  const { key, alg, kid } = await readKey(file);
  const token = await new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', ...(kid && { kid }) }).sign(key);
  terminal.stdout.write(`${token}\n`);
  terminal.stderr.write('note: this token is for trying things: an issuer signs the tokens of real callers.\n');
  return 0;
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
