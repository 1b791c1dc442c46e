import { Agent, type Dispatcher, request } from 'undici';
import type { AddressRule } from './address-policy.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { extensionOf, readHttpUrl } from './http-url.ts';
import type { Limits, Resolve } from '../model.ts';
import { readBody } from './response-body.ts';
import { Refusal } from '../conversion-error.ts';
import { readContentType, type SourceDocument } from '../source-document.ts';

/** How documents are fetched. */
export interface Fetching {
  readonly limits: Limits;
  /** Which addresses are connected to, whatever named them. */
  readonly rule: AddressRule;
  readonly resolve: Resolve;
  readonly userAgent: string;
}

const mostRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a document with GET. Redirects are followed here, by hand, so that each URL is checked like the first. Every
 * fetch has connections of its own: nothing that one document did is left for the next.
 */
export async function fetchDocument(uri: string, fetching: Fetching, signal: AbortSignal): Promise<SourceDocument> {
  const { rule, limits, resolve } = fetching;
  let url = readHttpUrl(uri, undefined, rule);
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: guardedLookup(resolve, rule), timeout: limits.milliseconds },
    // The time limit of the whole call is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  // A request that still waits for its connection hears of a signal only by this.
  const giveUp = (): void => void agent.destroy();
  signal.addEventListener('abort', giveUp);
  try {
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const answer = await ask(url, agent, fetching.userAgent, signal);
      const location = redirects.has(answer.statusCode) ? one(answer.headers['location']) : undefined;
      if (location === undefined) return await readAnswer(answer, url, limits, signal);
      discard(answer);
      url = readHttpUrl(location, url, rule);
    }
    throw new Refusal('upstream', `${url.host} redirects more than ${mostRedirects} times.`);
  } catch (error) {
    throw signal.aborted ? signal.reason : unreachable(url, error);
  } finally {
    signal.removeEventListener('abort', giveUp);
    await agent.destroy();
  }
}

function ask(url: URL, dispatcher: Agent, userAgent: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
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

async function readAnswer(
  answer: Dispatcher.ResponseData,
  url: URL,
  limits: Limits,
  signal: AbortSignal,
): Promise<SourceDocument> {
  if (answer.statusCode !== 200) {
    discard(answer);
    throw new Refusal('upstream', `${url.host} answered with status ${answer.statusCode} instead of a document.`);
  }
  const encoding = [answer.headers['content-encoding'] ?? []].flat().join(', ');
  return {
    bytes: await readBody(
      answer.body,
      { encoding, length: Number(one(answer.headers['content-length'])) },
      limits,
      signal,
    ),
    contentType: readContentType(one(answer.headers['content-type'])),
    extension: extensionOf(url),
  };
}

/** Ends an answer whose body nobody reads. The connection goes with it. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {}).destroy();
}

function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}

function unreachable(url: URL, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('upstream', `${url.host} cannot be fetched: ${describe(error)}`, { cause: error });
}

/** A connection tried at several addresses fails with several errors, and no message of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
