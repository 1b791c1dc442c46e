import type { JwksConfig } from '../config/model.ts';
import type { TextFetch } from '../network/text-fetch.ts';
import { type KeySet, type KeySource, keysProblem, readKeySet } from './key-set.ts';
import { type KeyParts, warnOfRefused } from './local-keys.ts';

/** The `remote` way to give keys. */
export type RemoteJwks = Extract<JwksConfig, { readonly kind: 'remote' }>;

/** Milliseconds between two attempts after one failed. */
const retryPause = 5_000;
/** Milliseconds between two attempts that tokens with an unknown key may cause: strangers can send such tokens at will. */
const missedPause = 30_000;
/** Milliseconds that an attempt may take while there are keys to go on with. */
const laterTimeout = 5_000;

/**
 * What is known about the keys of an issuer.
 *
 * `none`: never had any; each token waits for an attempt or, right after a failed one, is answered 503.
 * `fresh`: got them, and asks again before `dueAt` only for a token with an unknown key.
 * `stale`: had them, and the last attempt failed; they stay in use while another attempt is made aside.
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

/** Keys from the issuer. Asked for at once and then as tokens come; never by a timer, so an idle gateway asks for nothing. */
export function openRemoteKeys(
  jwks: RemoteJwks,
  { clock, log, fetchText }: KeyParts & { readonly fetchText: TextFetch },
): KeySource {
  const name = `${jwks.url.origin}${jwks.url.pathname}`;
  let state: State = { kind: 'none', dueAt: clock.now(), problem: '' };
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  const attempt = async (): Promise<void> => {
    try {
      const timeout = state.kind === 'none' ? jwks.initialTimeout : laterTimeout;
      const text = await fetchText(jwks.url, { timeout, headers: jwks.headers });
      const unchanged = state.kind !== 'none' && state.text === text ? state.set : undefined;
      const set = unchanged ?? (await readKeySet(text));
      if (unchanged === undefined) {
        log.info(state.kind === 'none' ? 'keys were fetched' : 'new keys were fetched', { keys: name });
        warnOfRefused(set, name, log);
      }
      state = { kind: 'fresh', dueAt: clock.now() + jwks.refreshInterval, set, text };
    } catch (error) {
      const problem = keysProblem(name, error);
      const stays =
        state.kind === 'none' ? 'tokens cannot be verified until they can' : 'the last good keys stay in use';
      if (state.kind === 'fresh' || state.problem !== problem) log.warn(`${problem}; ${stays}`);
      const dueAt = clock.now() + retryPause;
      state = state.kind === 'none' ? { kind: 'none', dueAt, problem } : { ...state, kind: 'stale', dueAt, problem };
    }
  };
  const ask = (): Promise<void> => {
    askedAt = clock.now();
    asking ??= attempt().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const heldNow = (): KeySet | undefined => (state.kind === 'none' ? undefined : state.set);

  void ask();
  return {
    name,
    get held() {
      return heldNow();
    },
    async keys(missed) {
      const early = missed !== undefined && missed === heldNow() && clock.now() >= askedAt + missedPause;
      if (early || clock.now() >= state.dueAt) void ask();
      if (state.kind !== 'stale') await asking;
      return heldNow();
    },
  };
}
