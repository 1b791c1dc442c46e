import { promises as files } from 'node:fs';
import { maxTextBytes } from '../../net/outbound/text-fetch.ts';
import { readTexts } from '../../net/watched-files.ts';
import { GatewayError } from '../errors.ts';
import {
  type KeyParts,
  type KeySet,
  type KeySource,
  keysProblem,
  parseKeySet,
  warnOfSkipped,
  withKeys,
} from './key-set.ts';

/** Milliseconds between two checks of the file. A check is made by the next look at the keys, not by a timer. */
const checkInterval = 1_000;

/**
 * Keys from a file, which is read again after a change: an edit, or a new link target as with a mounted ConfigMap.
 * While the new content is missing or no key set, the last good keys stay in use, with one warning per problem; a set
 * without usable keys withdraws them.
 *
 * @throws GatewayError when there are no usable keys at the start
 */
export async function openFileKeys(path: string, { clock, log }: KeyParts): Promise<KeySource> {
  const name = `the file ${path}`;
  let current: KeySet;
  let fingerprint = '';
  let problem = '';
  let checkedAt = clock.monotonic();
  let checking: Promise<void> | undefined;

  try {
    fingerprint = await fingerprintOf(path);
    current = withKeys(await readFile(path));
  } catch (error) {
    throw new GatewayError('environment', keysProblem(name, error), { cause: error });
  }
  warnOfSkipped(current, name, log);

  const check = async (): Promise<void> => {
    try {
      const found = await fingerprintOf(path);
      if (found !== fingerprint) {
        current = await readFile(path);
        // Not before: what failed may be no fault of the file, as without a free descriptor, and nothing changes it then.
        fingerprint = found;
        log.info('keys were read again', { keys: name });
        warnOfSkipped(current, name, log);
      }
      problem = '';
    } catch (error) {
      const found = keysProblem(name, error);
      if (found !== problem) log.warn(`${found}; the last good keys stay in use`);
      problem = found;
    }
  };

  const checkIfDue = (): void => {
    if (checking !== undefined || clock.monotonic() - checkedAt < checkInterval) return;
    checkedAt = clock.monotonic();
    checking = check().finally(() => {
      checking = undefined;
    });
  };

  return {
    name: path,
    get current() {
      checkIfDue();
      return current;
    },
    async keys() {
      checkIfDue();
      await checking;
      return current;
    },
    stop() {},
  };
}

/**
 * Keys from the configuration itself. They never change.
 *
 * @throws GatewayError when there are no usable keys
 */
export async function openInlineKeys(text: string, { log }: KeyParts): Promise<KeySource> {
  const name = 'listener.authn.jwks.source.data';
  try {
    const current = withKeys(await parseKeySet(text));
    warnOfSkipped(current, name, log);
    return { name: 'inline', current, keys: async () => current, stop() {} };
  } catch (error) {
    throw new GatewayError('usage', keysProblem(name, error), { cause: error });
  }
}

/** Changes when the file is edited or replaced. */
async function fingerprintOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await files.stat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

async function readFile(path: string): Promise<KeySet> {
  const { size } = await files.stat(path);
  if (size > maxTextBytes) throw new Error(`it is larger than ${maxTextBytes} bytes`);
  // A pipe in its place would hold every token until somebody writes, and a device would have no end.
  const texts = await readTexts([path]);
  return parseKeySet(texts.get(path) ?? '');
}
