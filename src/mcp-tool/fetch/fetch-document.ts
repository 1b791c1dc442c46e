import { Agent, type Dispatcher, request } from 'undici';
import { shortened } from '../../json/quoted.ts';
import { ConversionError } from '../conversion-error.ts';
import type { Limits, Resolve } from '../model.ts';
import { parseContentType, type SourceDocument } from '../source-document.ts';
import type { AddressPolicy } from './address-policy.ts';
import { createGuardedLookup } from './guarded-lookup.ts';
import { extensionOf, parseHttpUrl } from './http-url.ts';
import { readResponseBody } from './response-body.ts';

/** Limits and policies of every fetch. */
export interface FetchParts {
  readonly limits: Limits;
  /** Applies to literal addresses and to resolved host names, of the URL and of every redirect. */
  readonly addressPolicy: AddressPolicy;
  readonly resolve: Resolve;
  readonly userAgent: string;
}

const maxRedirects = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a document with GET. Follows redirects itself rather than by undici's interceptor, in order to check every
 * URL. Uses a connection pool per call, so that no connection outlives it or serves another document.
 *
 * @throws ConversionError, or the signal's reason when it is aborted
 */
export async function fetchDocument(uri: string, parts: FetchParts, signal: AbortSignal): Promise<SourceDocument> {
  const { addressPolicy, limits, resolve, userAgent } = parts;
  let url = parseHttpUrl(uri, undefined, addressPolicy);
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: createGuardedLookup(resolve, addressPolicy), timeout: limits.timeoutMilliseconds },
    // 0 disables undici's own timeouts: the deadline of the whole call aborts the signal.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  // A request that waits for its connection ignores its signal; destroying the agent ends it.
  const abort = (): void => void agent.destroy();
  signal.addEventListener('abort', abort);
  try {
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const response = await get(url, agent, userAgent, signal);
      const location = redirectStatuses.has(response.statusCode) ? first(response.headers['location']) : undefined;
      if (location === undefined) return await readDocument(response, url, limits, signal);
      discardBody(response);
      url = parseHttpUrl(location, url, addressPolicy);
    }
    throw new ConversionError('upstream', `${url.host} redirects more than ${maxRedirects} times.`);
  } catch (error) {
    throw signal.aborted ? signal.reason : upstreamError(url, error);
  } finally {
    signal.removeEventListener('abort', abort);
    await agent.destroy();
  }
}

function get(url: URL, dispatcher: Agent, userAgent: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return request(url, {
    dispatcher,
    signal,
    headers: {
      accept: 'text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, text/*;q=0.8, */*;q=0.5',
      'accept-encoding': 'gzip, br',
      'user-agent': userAgent,
    },
  });
}

async function readDocument(
  response: Dispatcher.ResponseData,
  url: URL,
  limits: Limits,
  signal: AbortSignal,
): Promise<SourceDocument> {
  const { statusCode, headers, body } = response;
  if (statusCode !== 200) {
    discardBody(response);
    throw new ConversionError('upstream', `${url.host} answered with status ${statusCode} instead of a document.`);
  }
  const encoding = [headers['content-encoding'] ?? []].flat().join(', ');
  const length = Number(first(headers['content-length']));
  return {
    bytes: await readResponseBody(body, { encoding, length }, limits, signal),
    contentType: parseContentType(first(headers['content-type'])),
    extension: extensionOf(url),
  };
}

/** Destroys the body and with it the connection. */
function discardBody({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {}).destroy();
}

function first(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}

function upstreamError(url: URL, error: unknown): ConversionError {
  if (error instanceof ConversionError) return error;
  return new ConversionError('upstream', `${url.host} cannot be fetched: ${shortened(messageOf(error))}`, {
    cause: error,
  });
}

/** Joins the messages of an AggregateError, which has none itself: a connection failed at several addresses. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
