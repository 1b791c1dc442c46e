import type { Clock } from '../edges.ts';
import { readDataUri } from './fetch/data-uri.ts';
import { type Fetching, fetchDocument } from './fetch/fetch-document.ts';
import { Refusal } from './conversion-error.ts';
import { runConversion } from './convert/convert-in-worker.ts';
import type { SourceDocument } from './source-document.ts';

export interface UriConverter {
  /** Converts what a URI names to Markdown. Rejects with a Refusal, or with the reason that the signal was aborted for. */
  convert(uri: string, signal: AbortSignal): Promise<string>;
  /** Refuses every conversion from now on, abandons those under way, and settles when nothing of them is left. */
  stop(): Promise<void>;
}

/** Converts within the limits, for all who ask together. */
export function createUriConverter(fetching: Fetching, clock: Clock): UriConverter {
  const { limits } = fetching;
  const stopping = new AbortController();
  const running = new Set<Promise<string>>();
  const convertOne = async (uri: string, signal: AbortSignal): Promise<string> => {
    const deadline = new AbortController();
    const stopWaiting = clock.after(limits.milliseconds, () => deadline.abort(tooSlow(limits.milliseconds)));
    const any = AbortSignal.any([signal, stopping.signal, deadline.signal]);
    try {
      return await runConversion(await readUri(uri, fetching, any), { limits, clock }, any);
    } finally {
      stopWaiting();
    }
  };
  return {
    async convert(uri, signal) {
      if (running.size >= limits.conversions) {
        throw new Refusal('busy', `${running.size} documents are being converted already. Try again in a moment.`);
      }
      const conversion = convertOne(uri, signal);
      running.add(conversion);
      return conversion.finally(() => running.delete(conversion));
    },
    async stop() {
      stopping.abort(new Refusal('stopped', 'The server is shutting down.'));
      await Promise.allSettled(running);
    },
  };
}

async function readUri(uri: string, fetching: Fetching, signal: AbortSignal): Promise<SourceDocument> {
  const scheme = schemeOf(uri);
  switch (scheme) {
    case 'data':
      return readDataUri(uri.trim());
    case 'http':
    case 'https':
      return fetchDocument(uri, fetching, signal);
    case 'file':
      throw new Refusal('uri', 'file: URIs are not served: this server reads no files of its machine.');
    case undefined:
      throw new Refusal('uri', 'This is no URI; http:, https: and data: URIs are converted.');
    default:
      throw new Refusal('uri', `${scheme}: URIs are not served; http:, https: and data: URIs are.`);
  }
}

/** In lower case, for messages and logs; `undefined` when there is none. */
export function schemeOf(uri: string): string | undefined {
  return /^\s*([a-z][a-z0-9+.-]{0,30}):/i.exec(uri)?.[1]?.toLowerCase();
}

function tooSlow(milliseconds: number): Refusal {
  return new Refusal('time', `The document was not converted within ${milliseconds / 1000} s.`);
}
