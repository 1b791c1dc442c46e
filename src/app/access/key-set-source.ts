import type { Clock, Logger, Stop } from '../../edges.ts';
import { reasonOf } from '../../net/errors.ts';
import { createTextFetch, refuseCoding } from '../../net/outbound/text-fetch.ts';
import { every } from '../../net/timers.ts';
import { readTexts, watchFiles } from '../../net/watched-files.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { type KeySet, loadKeySetVerifier } from '../../serve/serve.ts';
import { EnvironmentError } from '../errors.ts';

/** Milliseconds between two downloads, and for one. Issuers publish a key hours before they sign with it. */
const interval = 300_000;
const timeout = 10_000;

const plain: ReadonlyMap<string, string> = new Map([['accept-encoding', 'identity']]);

/**
 * Keys from a file or an https URL, read again. While they cannot be read, the last ones stay in use; a set without usable
 * keys withdraws them.
 */
export interface KeySetSource {
  readonly keys: () => KeySet;
  readonly stop: Stop;
}

/** @throws EnvironmentError when there are no keys at the start */
export async function openKeySet(
  location: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<KeySetSource> {
  const isUrl = /^https:\/\//i.test(location);
  // A redirect may lead to plaintext.
  const fetchText = createTextFetch(
    async (url, init) => refuseCoding(await fetch(url, { ...init, redirect: 'error' })),
    clock,
  );
  const throttle = new LogThrottle(clock, log);
  const read = async (): Promise<string> => {
    if (isUrl) return fetchText(location, { timeout, headers: plain });
    return (await readTexts([location])).get(location) ?? '';
  };
  const { readKeySet, withKeys } = await loadKeySetVerifier();
  let text: string;
  let current: KeySet;
  try {
    text = await read();
    current = withKeys(readKeySet(text));
  } catch (error) {
    throw new EnvironmentError(`the keys in ${location} (--xds-auth-jwks) cannot be used: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  warnOfSkipped(current, location, log);
  const failed = (error: unknown): void =>
    throttle.failed('keys', {
      reason: reasonOf(error),
      message: 'the keys that verify tokens cannot be read again; the last ones stay in use',
      fields: { keys: location },
    });
  const changed = (now: string): void => {
    try {
      if (now !== text) {
        current = readKeySet(now);
        text = now;
        warnOfSkipped(current, location, log);
      }
      throttle.recovered('keys', 'the keys that verify tokens were read again', { keys: location });
    } catch (error) {
      failed(error);
    }
  };
  const stop = isUrl
    ? every(clock, interval, () => void read().then(changed, failed))
    : watchFiles([location], new Map([[location, text]]), clock, {
        changed: (texts) => changed(texts.get(location) ?? ''),
        failed,
      });
  return { keys: () => current, stop };
}

function warnOfSkipped({ skipped, fingerprints }: KeySet, location: string, log: Logger): void {
  for (const problem of skipped)
    log.warn(`${problem}; it is left out of the keys that verify tokens`, { keys: location });
  if (fingerprints.size === 0) log.warn('no key verifies tokens any more: every token is refused', { keys: location });
}
