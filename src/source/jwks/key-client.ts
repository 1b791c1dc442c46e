import type { Agent } from 'undici';
import type { Clock, StopAsync } from '../../edges.ts';
import { shortened } from '../../json/quoted.ts';
import { blockReasonOf, nonPublicRangeOf } from '../../net/outbound/blocked-address.ts';
import { checkedLookup } from '../../net/outbound/checked-lookup.ts';
import { HostLookups } from '../../net/outbound/host-lookups.ts';
import { FinalFetchError, fetchText, refuseCoding } from '../../net/outbound/text-fetch.ts';

/** The text at a `jwks.uri`. */
export interface PublishedKeys {
  readonly text: string;
  /** Seconds that the text is fresh, by its headers; undefined when they do not say. */
  readonly freshFor: number | undefined;
}

/** Fetches a `jwks.uri`. Rejects with a reason for users, as the end of the sentence "cannot be fetched: …". */
export type FetchKeys = (uri: string) => Promise<PublishedKeys>;

/** What the client may connect to beyond `https:` on the public Internet; each is a flag. */
export interface KeyClientOptions {
  /** Allows `http:`, where anybody on the way can replace the keys. */
  readonly allowHttp: boolean;
  /** Allows addresses that are not of the public Internet, but never those of this machine and its link. */
  readonly allowPrivate: boolean;
}

/** Milliseconds from the request until the whole text has arrived. */
const timeout = 5_000;

/**
 * Creates the client. Whoever may write a policy chooses what it requests, so it reaches no service of this machine, its
 * link (cloud metadata), or unless allowed its network; sends nothing but the URL; and follows no redirect. Loads its HTTP
 * library with the first request.
 *
 * @param addressProblem replaces the check of addresses
 */
export function createKeyClient(
  options: KeyClientOptions,
  clock: Clock,
  addressProblem: (address: string) => string | undefined = (address) => problemOf(address, options),
): { readonly fetchKeys: FetchKeys; readonly stop: StopAsync } {
  let agent: Agent | undefined;
  const lookup = checkedLookup(
    new HostLookups(clock),
    addressProblem,
    (_host, _address, problem) => new FinalFetchError(`its host is at ${problem}`),
  );
  return {
    async fetchKeys(uri) {
      const url = new URL(uri);
      if (url.protocol !== 'https:' && !options.allowHttp)
        throw new FinalFetchError('it is not https, and serve was not started with --allow-http-jwks');
      const literal = literalAddress(url.hostname);
      const problem = literal === undefined ? undefined : addressProblem(literal);
      if (problem !== undefined) throw new FinalFetchError(`its host is ${problem}`);
      const undici = await import('undici');
      agent ??= new undici.Agent({ allowH2: false, connect: { lookup }, connections: 1, keepAliveTimeout: 1_000 });
      const dispatcher = agent;
      const get = (_url: string | URL, { signal }: { readonly signal: AbortSignal }): Promise<Response> =>
        undici.fetch(url, {
          dispatcher,
          signal,
          redirect: 'manual',
          headers: { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' },
        });
      try {
        const { text, headers } = await fetchText(async (target, init) => refuseCoding(await get(target, init)), url, {
          clock,
          timeout,
        });
        return { text, freshFor: freshFor(headers) };
      } catch (error) {
        throw causeOf(error);
      }
    },
    async stop() {
      await agent?.destroy();
    },
  };
}

/** Why an address may not be requested, as the end of a sentence. */
function problemOf(address: string, { allowPrivate }: KeyClientOptions): string | undefined {
  const blocked = blockReasonOf(address);
  if (blocked !== undefined) return `${address}, which is a ${blocked} address`;
  const range = allowPrivate ? undefined : nonPublicRangeOf(address);
  if (range === undefined) return undefined;
  return `${address}, which is not a public address (${range}), and serve was not started with --allow-private-jwks`;
}

/** The IP address in the hostname of a URL, whose parser normalizes every notation; undefined for a name. */
function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return /(^|\.)\d+$/.test(hostname) ? hostname : undefined;
}

/** RFC 9111, section 4.2: what must not be reused is fresh for no time, and time in caches counts. */
function freshFor(headers: Headers): number | undefined {
  const control = (headers.get('cache-control') ?? '').slice(0, 1_000);
  if (/(^|[\s,])no-(cache|store)\b/i.test(control)) return 0;
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(control)?.[1];
  if (maxAge === undefined) return undefined;
  return Math.max(0, Number(maxAge) - Number(/^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0] ?? 0));
}

/** `fetch` rejects with "fetch failed", and the reason as its cause. */
function causeOf(error: unknown): Error {
  if (error instanceof FinalFetchError) return error;
  const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof FinalFetchError) return cause;
  if (cause instanceof AggregateError) return new Error(shortened(cause.errors.map(messageOf).join('; ')));
  return new Error(messageOf(cause));
}

function messageOf(error: unknown): string {
  return shortened(error instanceof Error ? error.message : String(error));
}
