import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { EnvironmentError } from '../../app/errors.ts';
import { quoted } from '../../json/quoted.ts';
import { codeOf } from '../../net/errors.ts';
import { type FlagValues, nearWord, UsageError } from '../flags.ts';
import type { ExitCode, Terminal } from '../terminal.ts';

/** The signature algorithm: ECDSA with P-256, which every verifier of JWTs knows. */
const algorithm = 'ES256';

/** Runs `keys new`: writes a private key, which its owner alone may read, and the JWK Set with its public part. */
export async function runKeys(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const [word, ...stray] = flags.positionals;
  if (word !== 'new' || stray.length > 0) {
    const near = word === undefined ? undefined : nearWord(word, ['new']);
    const said = word === undefined ? 'say what to do with keys' : `unknown word ${quoted(word)}`;
    throw new UsageError(`${said}.${near === undefined ? '' : ` Did you mean ${near}?`} Write gatehouse keys new.`);
  }
  const folder = flags.text('directory');
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const named = { kid: await calculateJwkThumbprint(await exportJWK(publicKey)), alg: algorithm, use: 'sig' };
  const files = [
    { path: join(folder, 'private-key.json'), mode: 0o600, value: { ...(await exportJWK(privateKey)), ...named } },
    { path: join(folder, 'jwks.json'), mode: 0o644, value: { keys: [{ ...(await exportJWK(publicKey)), ...named }] } },
  ];
  await mkdir(folder, { recursive: true }).catch(cannotWrite(folder));
  for (const { path, mode, value } of files) await writeNew(path, `${JSON.stringify(value, undefined, 2)}\n`, mode);
  const [secret, shared] = files.map(({ path }) => path);
  terminal.stdout.write(
    `${secret}  signs tokens: gatehouse token --key ${secret}\n${shared}  lets gateways verify them: the source of "jwks"\n`,
  );
  terminal.stderr.write(
    'note: these keys are for trying things: whoever reads the private key is whoever they like.\n',
  );
  return 0;
}

/** Writes a file that does not exist yet: a key that is in use is never replaced. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    await file.writeFile(text).finally(() => file.close());
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      throw new EnvironmentError(`${path} exists already: remove it, or name another folder with --directory.`);
    }
    cannotWrite(path)(error);
  }
}

function cannotWrite(path: string): (error: unknown) => never {
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(`${path} cannot be written: ${reason}`, { cause: error });
  };
}
