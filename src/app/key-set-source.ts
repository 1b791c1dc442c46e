import type { Clock, Logger, Stop } from '../edges.ts';
import { within } from '../net/deadline.ts';
import { every } from '../net/timers.ts';
import { readTexts, watchFiles } from '../net/tls/watched-files.ts';
import { LogThrottle } from '../rate/log-throttle.ts';
import { type KeySet, readKeySet } from '../serve/serve.ts';
import { EnvironmentError } from './errors.ts';

/** Milliseconds between two downloads, and for one. Issuers publish a key hours before they sign with it. */
const interval = 300_000;
const timeout = 10_000;

/** Bytes of a key set. */
const maxBytes = 1 << 20;

/** Keys from a file or an https URL, read again. While they cannot be read, the last ones stay in use. */
export interface KeySetSource {
  readonly keys: () => KeySet;
  readonly stop: Stop;
}

/** @throws EnvironmentError when there are no keys at the start */
export async function openKeySet(
  location: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<KeySetSource> {
  const isUrl = location.startsWith('https://');
  const throttle = new LogThrottle(clock, log);
  const read = async (): Promise<string> => {
    if (isUrl) return within({ clock, milliseconds: timeout }, (signal) => download(location, signal));
    return (await readTexts([location])).get(location) ?? '';
  };
  let text: string;
  let current: KeySet;
  try {
    text = await read();
    current = readKeySet(text);
  } catch (error) {
    throw new EnvironmentError(`the keys in ${location} (--xds-auth-jwks) cannot be used: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const failed = (error: unknown): void =>
    throttle.failed('keys', {
      reason: reasonOf(error),
      message: 'the keys that verify tokens cannot be read again; the last ones stay in use',
      fields: { keys: location },
    });
  const changed = (now: string): void => {
    try {
      current = readKeySet(now);
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

async function download(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, redirect: 'error' });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
