import type { JwksConfig } from '../config/model.ts';
import type { TextFetch } from '../network/text-fetch.ts';
import { type KeyParts, type KeySet, type KeySource, keysProblem, parseKeySet, warnOfSkipped } from './key-set.ts';

/** Configuration of remote keys. */
export type RemoteJwks = Extract<JwksConfig, { readonly kind: 'remote' }>;

/** Milliseconds between a failed request and the next one. */
const retryInterval = 5_000;
/** Milliseconds between two requests for unknown key ids: anyone can send a token with an unknown key id. */
const missInterval = 30_000;
/** Timeout of a request in milliseconds, once there are keys. */
const refreshTimeout = 5_000;

/**
 * State of the keys.
 *
 * `none`: no keys so far. A token waits for the request that is in flight; before the next one is due, it gets 503.
 * `fresh`: keys are available. They are fetched again at `dueAt`, or earlier for a token with an unknown key id.
 * `stale`: keys are available, but the last request failed. They stay in use; tokens do not wait for the next request.
 */
type State =
  | { readonly kind: 'none'; readonly dueAt: number; readonly problem: string }
  | { readonly kind: 'fresh'; readonly dueAt: number; readonly set: KeySet; readonly text: string }
  | {
      readonly kind: 'stale';
      readonly dueAt: number;
      readonly set: KeySet;
      readonly text: string;
      readonly problem: string;
    };

/**
 * Keys from an issuer's endpoint. Fetches them at once, and then when a token arrives: an idle gateway sends no
 * requests.
 */
export function openRemoteKeys(
  jwks: RemoteJwks,
  { clock, log, fetchText }: KeyParts & { readonly fetchText: TextFetch },
): KeySource {
  const name = `${jwks.url.origin}${jwks.url.pathname}`;
  let state: State = { kind: 'none', dueAt: clock.now(), problem: '' };
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  const fetchKeys = async (): Promise<void> => {
    try {
      const timeout = state.kind === 'none' ? jwks.initialTimeout : refreshTimeout;
      const text = await fetchText(jwks.url, { timeout, headers: jwks.headers });
      const unchanged = state.kind !== 'none' && state.text === text ? state.set : undefined;
      const set = unchanged ?? (await parseKeySet(text));
      if (unchanged === undefined) {
        log.info(state.kind === 'none' ? 'keys were fetched' : 'new keys were fetched', { keys: name });
        warnOfSkipped(set, name, log);
      }
      state = { kind: 'fresh', dueAt: clock.now() + jwks.refreshInterval, set, text };
    } catch (error) {
      const problem = keysProblem(name, error);
      const effect =
        state.kind === 'none' ? 'tokens cannot be verified until they can' : 'the last good keys stay in use';
      if (state.kind === 'fresh' || state.problem !== problem) log.warn(`${problem}; ${effect}`);
      const dueAt = clock.now() + retryInterval;
      state = state.kind === 'none' ? { kind: 'none', dueAt, problem } : { ...state, kind: 'stale', dueAt, problem };
    }
  };
  const refresh = (): Promise<void> => {
    fetchedAt = clock.now();
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  const currentSet = (): KeySet | undefined => (state.kind === 'none' ? undefined : state.set);

  void refresh();
  return {
    name,
    get current() {
      return currentSet();
    },
    async keys(missed) {
      const early = missed !== undefined && missed === currentSet() && clock.now() >= fetchedAt + missInterval;
      if (early || clock.now() >= state.dueAt) void refresh();
      if (state.kind !== 'stale') await fetching;
      return currentSet();
    },
  };
}
