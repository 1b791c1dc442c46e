import type { Clock } from '../../edges.ts';
import { Deadline } from '../../net/deadline.ts';
import type { TargetFetch } from '../model.ts';

/** Downloads a small text, such as a key set. Rejects with a reason that contains neither a header nor the text. */
export type TextFetch = (url: string | URL, options: TextFetchOptions) => Promise<string>;

/** Options of one download. */
interface TextFetchOptions {
  /** Milliseconds until the whole text must have arrived. */
  readonly timeout: number;
  readonly headers?: ReadonlyMap<string, string>;
}

/** The largest text that is read: 1 MiB. */
export const maxTextBytes: number = 1024 * 1024;

/** Downloads texts with `fetch`. A status other than 200, a larger text and a timeout are errors. */
export function createTextFetch(fetch: TargetFetch, clock: Clock): TextFetch {
  return async (url, { timeout, headers = new Map() }) => {
    const deadline = new Deadline(clock);
    deadline.set(timeout, new Error(`no answer within ${timeout} ms`));
    try {
      const response = await fetch(url, { headers: [...headers], signal: deadline.signal });
      if (response.status === 200) return await readText(response);
      await response.body?.cancel();
      throw new Error(`answered with status ${response.status}`);
    } finally {
      deadline.release();
    }
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxTextBytes) throw new Error(`answered with more than ${maxTextBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
