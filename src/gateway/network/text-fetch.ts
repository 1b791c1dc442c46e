import type { Clock } from '../../edges.ts';
import type { TargetFetch } from '../model.ts';

/** Gets a small text, such as a set of keys. Fails with a reason that may be shown: never a header, never the text. */
export type TextFetch = (url: string | URL, options: TextFetchOptions) => Promise<string>;

/** How a small text is asked for. */
interface TextFetchOptions {
  /** Milliseconds until the whole text must be there. */
  readonly timeout: number;
  readonly headers?: ReadonlyMap<string, string>;
}

/** The most that is read of one text: 1 MiB. */
export const maxTextBytes: number = 1024 * 1024;

/** Gets texts with `fetch`; any answer but 200, a longer text and a slower one are errors. */
export function createTextFetch(fetch: TargetFetch, clock: Clock): TextFetch {
  return async (url, { timeout, headers = new Map() }) => {
    const abort = new AbortController();
    const stop = clock.after(timeout, () => abort.abort(new Error(`no answer within ${timeout} ms`)));
    try {
      const response = await fetch(url, { headers: [...headers], signal: abort.signal });
      if (response.status === 200) return await boundedText(response);
      await response.body?.cancel();
      throw new Error(`answered with status ${response.status}`);
    } finally {
      stop();
    }
  };
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxTextBytes) throw new Error(`answered with more than ${maxTextBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
