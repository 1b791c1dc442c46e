import type { Clock } from '../edges.ts';
import { shortened } from '../json/quoted.ts';
import { Deadline } from '../net/deadline.ts';
import { ConversionError } from './conversion-error.ts';
import { convertInProcess } from './convert/convert-in-process.ts';
import { decodeDataUri } from './fetch/data-uri.ts';
import { type FetchParts, fetchDocument } from './fetch/fetch-document.ts';
import type { SourceDocument } from './source-document.ts';

/** Converts documents by their address. */
export interface UriConverter {
  /**
   * Fetches a document and converts it to Markdown.
   *
   * @throws ConversionError, or the signal's reason when it is aborted
   */
  convert(uri: string, signal: AbortSignal): Promise<string>;
  /** Fails running and later conversions with `stopped`; resolves when all of them have settled. */
  stop(): Promise<void>;
}

/** Creates a converter whose callers share one limit of concurrent conversions. */
export function createUriConverter(parts: FetchParts, clock: Clock): UriConverter {
  const { limits } = parts;
  const stopping = new AbortController();
  const running = new Set<Promise<string>>();
  const convertOne = async (uri: string, signal: AbortSignal): Promise<string> => {
    const deadline = new Deadline(clock, AbortSignal.any([signal, stopping.signal]));
    deadline.set(limits.timeoutMilliseconds, timeoutError(limits.timeoutMilliseconds));
    try {
      const document = await readUri(uri, parts, deadline.signal);
      return await convertInProcess(document, { limits, clock }, deadline.signal);
    } finally {
      deadline.release();
    }
  };
  return {
    async convert(uri, signal) {
      if (running.size >= limits.concurrentConversions) {
        throw new ConversionError(
          'busy',
          `${running.size} documents are being converted already. Try again in a moment.`,
        );
      }
      const conversion = convertOne(uri, signal);
      running.add(conversion);
      return conversion.finally(() => running.delete(conversion));
    },
    async stop() {
      stopping.abort(new ConversionError('stopped', 'The server is shutting down.'));
      await Promise.allSettled(running);
    },
  };
}

async function readUri(uri: string, parts: FetchParts, signal: AbortSignal): Promise<SourceDocument> {
  const scheme = uriScheme(uri);
  switch (scheme) {
    case 'data':
      return decodeDataUri(uri.trim());
    case 'http':
    case 'https':
      return fetchDocument(uri, parts, signal);
    case 'file':
      throw new ConversionError('uri', 'file: URIs are not served: this server reads no files of its machine.');
    case undefined:
      throw new ConversionError('uri', 'This is no URI; http:, https: and data: URIs are converted.');
    default:
      throw new ConversionError('uri', `${shortened(scheme)}: URIs are not served; http:, https: and data: URIs are.`);
  }
}

/** Characters. No registered scheme is as long. */
const maxScheme = 31;

/** Returns the scheme of a URI in lower case, for messages and logs; undefined without one. */
export function uriScheme(uri: string): string | undefined {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1];
  return scheme === undefined || scheme.length > maxScheme ? undefined : scheme.toLowerCase();
}

function timeoutError(milliseconds: number): ConversionError {
  return new ConversionError('time', `The document was not converted within ${milliseconds / 1000} s.`);
}
