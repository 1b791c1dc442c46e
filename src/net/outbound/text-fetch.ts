import type { Clock } from '../../edges.ts';
import { quoted } from '../../json/quoted.ts';
import { Deadline } from '../deadline.ts';

/** Downloads a small text, such as a key set. Rejects with a reason that contains neither a header nor the text. */
export type TextFetch = (url: string | URL, options: TextFetchOptions) => Promise<string>;

/** Options of one download. */
interface TextFetchOptions {
  /** Milliseconds until the whole text must have arrived. */
  readonly timeout: number;
  readonly headers?: ReadonlyMap<string, string>;
}

/** The `fetch` that requests are made with. */
type Fetch = (
  url: string | URL,
  init: { readonly headers: [string, string][]; readonly signal: AbortSignal },
) => Promise<Response>;

/** The largest text that is read: 1 MiB. */
export const maxTextBytes: number = 1024 * 1024;

/** A download failed as it would again at once: the server answered something else, or must not be asked. */
export class FinalFetchError extends Error {
  override readonly name = 'FinalFetchError';
}

/** Downloads texts with `fetch`. A status other than 200, a larger text and a timeout are errors. */
export function createTextFetch(fetch: Fetch, clock: Clock): TextFetch {
  return async (url, options) => (await fetchText(fetch, url, { ...options, clock })).text;
}

/** Downloads one text as {@link createTextFetch} does, with the headers of the response. */
export async function fetchText(
  fetch: Fetch,
  url: string | URL,
  { timeout, headers = new Map(), clock }: TextFetchOptions & { readonly clock: Clock },
): Promise<{ readonly text: string; readonly headers: Headers }> {
  const deadline = new Deadline(clock);
  deadline.set(timeout, new Error(`no answer within ${timeout} ms`));
  try {
    const response = await fetch(url, { headers: [...headers], signal: deadline.signal });
    if (response.status === 200) return { text: await readText(response), headers: response.headers };
    await response.body?.cancel();
    throw new FinalFetchError(`answered with status ${response.status}`);
  } finally {
    deadline.release();
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxTextBytes) throw new FinalFetchError(`answered with more than ${maxTextBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The part of a response that says how it is coded. */
interface Codable {
  readonly headers: Pick<Headers, 'get'>;
  readonly body: { cancel(): Promise<void> } | null;
}

/**
 * Refuses a response with a content coding, which was not asked for. `fetch` would decode it, and keep as many bytes for
 * each open stream as the server chooses: 16 MiB with Brotli.
 */
export async function refuseCoding<R extends Codable>(response: R): Promise<R> {
  const coding = response.headers.get('content-encoding') ?? 'identity';
  if (coding === 'identity') return response;
  await response.body?.cancel().catch(() => {});
  throw new FinalFetchError(`answered with the content coding ${quoted(coding)}; no coding was asked for`);
}
