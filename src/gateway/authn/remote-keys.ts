import type { Clock, Stop } from '../../edges.ts';
import type { KeySourceConfig } from '../config/model.ts';
import { discoverKeys } from './discovery.ts';
import {
  type KeyFetch,
  type KeyParts,
  type KeySet,
  type KeySource,
  keysProblem,
  parseKeySet,
  warnOfSkipped,
  withKeys,
} from './key-set.ts';

/** Configuration of remote keys. */
export type RemoteJwks = Extract<KeySourceConfig, { readonly kind: 'remote' | 'discovery' }>;

/**
 * Milliseconds from the start of one request to the next, whatever causes it: a shorter interval, a failure, or a token
 * with an unknown key id, which anyone can send. A new key is in use this long after the first token that names it.
 */
const minInterval = 10_000;
/** Timeout of a request in milliseconds, once there are keys. */
const refreshTimeout = 5_000;

/**
 * Keys from an issuer's endpoint, configured or discovered: fetched at once, and then at an interval by a timer, so
 * that keys that the issuer withdrew are not kept by a gateway without requests. Once there are keys, a token never
 * waits for a request; one that names an unknown key waits for itself alone, and not longer than the timeout. Keys stay
 * in use while requests fail; an answer that is a set without usable keys withdraws them.
 */
export function openRemoteKeys(
  jwks: RemoteJwks,
  { clock, log, fetchText }: KeyParts & { readonly fetchText: KeyFetch },
): KeySource {
  const name = nameOf(jwks);
  const endpoint = createEndpoint(jwks, clock, fetchText);
  let known: { readonly set: KeySet; readonly text: string } | undefined;
  let problem = '';
  let startedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;
  let stopTimer: Stop = () => {};
  let stopped = false;

  const fetchKeys = async (): Promise<void> => {
    try {
      const timeout = known === undefined ? jwks.initialTimeout : refreshTimeout;
      const text = await endpoint.download(timeout);
      if (known?.text !== text) {
        const read = await parseKeySet(text);
        const set = known === undefined ? withKeys(read) : read;
        log.info(known === undefined ? 'keys were fetched' : 'new keys were fetched', { keys: name });
        warnOfSkipped(set, name, log);
        known = { set, text };
      }
      problem = '';
    } catch (error) {
      endpoint.failed();
      const found = keysProblem(name, error);
      const effect =
        known === undefined ? 'tokens cannot be verified until they can' : 'the last good keys stay in use';
      if (found !== problem) log.warn(`${found}; ${effect}`);
      problem = found;
    }
  };
  const refresh = (): Promise<void> => {
    stopTimer();
    startedAt = clock.monotonic();
    fetching = fetchKeys().finally(() => {
      fetching = undefined;
      const interval = problem === '' ? Math.max(jwks.refreshInterval, minInterval) : minInterval;
      if (!stopped) stopTimer = clock.after(interval, () => void refresh());
    });
    return fetching;
  };
  const mayRefresh = (): boolean => fetching === undefined && !stopped && clock.monotonic() - startedAt >= minInterval;

  void refresh();
  return {
    name,
    get current() {
      return known?.set;
    },
    async keys(missed) {
      if (missed === undefined) {
        if (known === undefined) await fetching;
      } else if (missed === known?.set) {
        if (mayRefresh()) void refresh();
        await fetching;
      }
      return known?.set;
    },
    stop() {
      stopped = true;
      stopTimer();
    },
  };
}

function nameOf(jwks: RemoteJwks): string {
  if (jwks.kind === 'discovery') return `the metadata of ${jwks.issuer}`;
  return `${jwks.url.origin}${jwks.url.pathname}`;
}

/** Milliseconds before the metadata of an issuer is read again, to learn of another `jwks_uri`. */
const metadataAge = 600_000;

/** The place of the keys. */
interface Endpoint {
  /** @param timeout of all requests together, in milliseconds */
  download(timeout: number): Promise<string>;
  /** Told when the keys cannot be had there: they may have moved. */
  failed(): void;
}

function createEndpoint(jwks: RemoteJwks, clock: Clock, fetchText: KeyFetch): Endpoint {
  const { ca } = jwks;
  if (jwks.kind === 'remote') {
    return { download: (timeout) => fetchText(jwks.url, { timeout, headers: jwks.headers, ca }), failed() {} };
  }
  let found: { readonly url: URL; readonly at: number } | undefined;
  return {
    async download(timeout) {
      const began = clock.monotonic();
      const left = (): number => Math.max(1, timeout - (clock.monotonic() - began));
      if (found === undefined || clock.monotonic() - found.at >= metadataAge) {
        found = {
          url: await discoverKeys(jwks.issuer, (from, options) => fetchText(from, { ...options, ca }), left),
          at: clock.monotonic(),
        };
      }
      return fetchText(found.url, { timeout: left(), ca });
    },
    failed() {
      found = undefined;
    },
  };
}
