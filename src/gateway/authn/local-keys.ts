import { promises as files } from 'node:fs';
import type { Clock, Logger } from '../../edges.ts';
import { GatewayError } from '../errors.ts';
import { maxTextBytes } from '../network/text-fetch.ts';
import { type KeySet, type KeySource, keysProblem, readKeySet } from './key-set.ts';

/** What key sources need. */
export interface KeyParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The file is looked at when a token comes, and at most once in this many milliseconds. */
const lookInterval = 1000;

/**
 * Keys from a file, which is read again when it was replaced or edited (a mounted ConfigMap is swapped by a link, which
 * looks like any other change). While the new content is missing or unusable the last good keys stay, with one warning.
 *
 * @throws GatewayError when there are no usable keys at the start
 */
export async function openFileKeys(path: string, { clock, log }: KeyParts): Promise<KeySource> {
  const name = `the file ${path}`;
  let held: KeySet;
  let seen = '';
  let problem = '';
  let lookedAt = clock.now();
  let looking: Promise<void> | undefined;

  try {
    seen = await stampOf(path);
    held = await readFile(path);
  } catch (error) {
    throw new GatewayError('environment', keysProblem(name, error), { cause: error });
  }
  warnOfRefused(held, name, log);

  const look = async (): Promise<void> => {
    try {
      const stamp = await stampOf(path);
      if (stamp === seen) return;
      seen = stamp;
      held = await readFile(path);
      problem = '';
      log.info('keys were read again', { keys: name });
      warnOfRefused(held, name, log);
    } catch (error) {
      const now = keysProblem(name, error);
      if (now !== problem) log.warn(`${now}; the last good keys stay in use`);
      problem = now;
    }
  };

  return {
    name: path,
    get held() {
      return held;
    },
    async keys() {
      if (looking === undefined && clock.now() - lookedAt >= lookInterval) {
        lookedAt = clock.now();
        looking = look().finally(() => {
          looking = undefined;
        });
      }
      await looking;
      return held;
    },
  };
}

/** Keys from the configuration itself: the same for as long as the program runs. */
export async function openInlineKeys(text: string, { log }: KeyParts): Promise<KeySource> {
  const name = 'listener.authn.jwks.source.data';
  try {
    const held = await readKeySet(text);
    warnOfRefused(held, name, log);
    return { name: 'inline', held, keys: async () => held };
  } catch (error) {
    throw new GatewayError('usage', keysProblem(name, error), { cause: error });
  }
}

/** Says which keys were left out, and why. */
export function warnOfRefused(set: KeySet, name: string, log: Logger): void {
  for (const why of set.refused) log.warn(`in ${name}, ${why}; it is left out`);
}

/** Differs when the file was edited or replaced. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await files.stat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

async function readFile(path: string): Promise<KeySet> {
  const { size } = await files.stat(path);
  if (size > maxTextBytes) throw new Error(`it is larger than ${maxTextBytes} bytes`);
  return readKeySet(await files.readFile(path, 'utf8'));
}
