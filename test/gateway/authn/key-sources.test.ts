import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/gateway/authn/authn.ts';
import type { KeySource } from '../../../src/gateway/authn/key-set.ts';
import { openFileKeys } from '../../../src/gateway/authn/local-keys.ts';
import { openRemoteKeys } from '../../../src/gateway/authn/remote-keys.ts';
import { createTokenCache } from '../../../src/gateway/authn/token-cache.ts';
import type { TextFetch } from '../../../src/net/outbound/text-fetch.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { guideJwk, guideToken } from '../../support/processes/guide.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let clock: ManualClock;
let log: RecordedLog;
beforeEach(() => {
  clock = createManualClock();
  log = createRecordedLog();
});
const warnings = (): readonly string[] =>
  log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
const named = (kid: string): string => JSON.stringify({ ...guideJwk, kid });
const kids = async (source: KeySource): Promise<unknown> => (await source.keys())?.kids;

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'jwks.json');
});

describe('keys from a file', () => {
  it('are read again when the file changes, which is checked at most once a second', async () => {
    writeFileSync(path, named('a'));
    const source = await openFileKeys(path, { clock, log });
    const first = await source.keys();
    writeFileSync(path, named('bb'));
    expect(await source.keys()).toBe(first);
    clock.advance(1000);
    expect(await kids(source)).toEqual(['bb']);
    clock.advance(1000);
    expect(await source.keys()).toBe(source.current);
  });

  it('are read again after a second when the clock was set back by an hour', async () => {
    writeFileSync(path, named('a'));
    const source = await openFileKeys(path, { clock, log });
    clock.jump(-3_600_000);
    writeFileSync(path, named('bb'));
    clock.advance(999);
    expect(await kids(source)).toEqual(['a']);
    clock.advance(1);
    expect(await kids(source)).toEqual(['bb']);
  });

  it('are read again when a link in the path changes, as with a mounted ConfigMap', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'jwks.json'), named(name));
    }
    symlinkSync('one', join(folder, 'data'));
    const source = await openFileKeys(join(folder, 'data', 'jwks.json'), { clock, log });
    expect(await kids(source)).toEqual(['one']);
    symlinkSync('two', join(folder, 'new'));
    renameSync(join(folder, 'new'), join(folder, 'data'));
    clock.advance(1000);
    expect(await kids(source)).toEqual(['two']);
  });
});

describe('keys from a file that becomes invalid', () => {
  it('stay in use while the file is missing or invalid, with one warning per problem', async () => {
    writeFileSync(path, named('a'));
    const source = await openFileKeys(path, { clock, log });
    const look = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        clock.advance(1000);
        expect(await kids(source)).toEqual(['a']);
      }
    };
    rmSync(path);
    await look(3);
    writeFileSync(path, JSON.stringify([{ ...guideJwk, d: 'secret' }]));
    await look(3);
    expect(warnings()).toEqual([
      expect.stringMatching(/jwks\.json cannot be used: ENOENT.*; the last good keys stay in use$/),
      expect.stringMatching(
        /jwks\.json cannot be used: it is neither a JSON Web Key nor a set of them: .*; the last good keys stay in use$/,
      ),
    ]);
    expect(log.text()).not.toContain('secret');
    writeFileSync(path, named('b'));
    clock.advance(1000);
    expect(await kids(source)).toEqual(['b']);
  });

  it('stay in use while something that is no file is in its place, which is not read', async () => {
    writeFileSync(path, named('a'));
    const source = await openFileKeys(path, { clock, log });
    rmSync(path);
    symlinkSync('/dev/zero', path);
    clock.advance(1000);
    expect(await kids(source)).toEqual(['a']);
    expect(warnings()).toEqual([expect.stringMatching(/jwks\.json cannot be used: .*jwks\.json is no file; /)]);
  });

  it('must be valid at the start', async () => {
    await expect(openFileKeys(path, { clock, log })).rejects.toMatchObject({
      reason: 'environment',
      message: expect.stringContaining('jwks.json cannot be used: ENOENT'),
    });
    writeFileSync(path, ' '.repeat(1024 * 1024 + 1));
    await expect(openFileKeys(path, { clock, log })).rejects.toThrow('it is larger than 1048576 bytes');
  });

  it('are used without the invalid ones, which are logged', async () => {
    writeFileSync(path, JSON.stringify({ keys: [guideJwk, { ...guideJwk, kid: 'own', d: 'x' }] }));
    expect(await kids(await openFileKeys(path, { clock, log }))).toEqual([guideJwk.kid]);
    expect(warnings()).toEqual([
      expect.stringMatching(/^in the file .*jwks\.json, the key "own" holds a private key .*; it is left out$/),
    ]);
  });

  it('that are removed make a token invalid that was verified before', async () => {
    writeFileSync(path, JSON.stringify(guideJwk));
    const config = { issuers: ['me'], audiences: ['me.com'], jwks: { kind: 'file', path } } as const;
    const authn = await createAuthenticator(config, { clock, log, fetchText: async () => '' });
    expect(await authn.authenticate(`Bearer ${guideToken}`)).toMatchObject({ kind: 'caller' });
    writeFileSync(path, JSON.stringify((await createIssuer('ES256', 'new')).jwk));
    clock.advance(1000);
    expect(await authn.authenticate(`Bearer ${guideToken}`)).toMatchObject({ kind: 'refused', status: 401 });
  });
});

/** Endpoint of an issuer: each request gets the current value. */
let answer: string | Error;
let asked: { url: string; timeout: number; headers: readonly (readonly [string, string])[] }[];
const fetchText: TextFetch = async (url, { timeout, headers = new Map() }) => {
  asked.push({ url: String(url), timeout, headers: [...headers] });
  if (answer instanceof Error) throw answer;
  return answer;
};
const jwks = {
  kind: 'remote',
  url: new URL('https://issuer.example/jwks?key=secret'),
  headers: new Map([['x-api-key', 'secret']]),
  initialTimeout: 3000,
  refreshInterval: 60_000,
} as const;
const open = (): KeySource => openRemoteKeys(jwks, { clock, log, fetchText });
/** Lets promises settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
beforeEach(() => {
  answer = named('a');
  asked = [];
});

describe('remote keys', () => {
  it('are fetched at once, with the headers and the timeout of the configuration', async () => {
    expect(await kids(open())).toEqual(['a']);
    expect(asked).toEqual([
      { url: 'https://issuer.example/jwks?key=secret', timeout: 3000, headers: [['x-api-key', 'secret']] },
    ]);
    expect(log.text()).not.toContain('secret');
  });

  it('are fetched again after the interval by a timer, and stay the same object when unchanged', async () => {
    const source = open();
    const first = await source.keys();
    await settled();
    clock.advance(59_999);
    await settled();
    expect(asked).toHaveLength(1);
    clock.advance(1);
    await settled();
    expect(asked).toHaveLength(2);
    expect(await source.keys()).toBe(first);
    answer = named('b');
    clock.advance(60_000);
    await log.line('new keys were fetched');
    expect(await kids(source)).toEqual(['b']);
  });

  it('are not asked for more often than every ten seconds, whatever the configuration says', async () => {
    await openRemoteKeys({ ...jwks, refreshInterval: 1 }, { clock, log, fetchText }).keys();
    for (let second = 0; second < 60; second += 1) {
      await settled();
      clock.advance(1_000);
    }
    await settled();
    expect(asked).toHaveLength(7);
  });

  it('stay in use while the issuer cannot be reached, with one warning and a retry every ten seconds', async () => {
    const source = open();
    await source.keys();
    answer = new Error('fetch failed');
    for (let second = 0; second < 90; second += 1) {
      expect(await kids(source)).toEqual(['a']);
      await settled();
      clock.advance(1_000);
    }
    await settled();
    expect(asked).toHaveLength(5);
    expect(warnings()).toEqual([
      'the keys in https://issuer.example/jwks cannot be used: fetch failed; the last good keys stay in use',
    ]);
    answer = named('b');
    clock.advance(10_000);
    await log.line('new keys were fetched');
    expect(await kids(source)).toEqual(['b']);
  });
});

describe('remote keys that lack one', () => {
  it('are fetched early for a token with an unknown key, at most every ten seconds', async () => {
    const source = open();
    const first = await source.keys();
    answer = named('b');
    expect(await source.keys(first)).toBe(first);
    clock.advance(9_999);
    expect(await source.keys(first)).toBe(first);
    expect(asked).toHaveLength(1);
    clock.advance(1);
    const second = await source.keys(first);
    expect(second?.kids).toEqual(['b']);
    expect(await source.keys(first)).toBe(second);
    expect(asked).toHaveLength(2);
  });

  it('that rotate fifty times a minute are fetched seven times, and the key of the last fetch counts', async () => {
    const source = open();
    let known = await source.keys();
    for (let rotation = 1; rotation <= 50; rotation += 1) {
      answer = named(`k${rotation}`);
      clock.advance(1_200);
      if (known !== undefined) known = await source.keys(known);
    }
    // At the start and after each ten seconds, with the timer of the minute among them.
    expect(asked.length).toBeLessThanOrEqual(7);
    expect(asked.length).toBeGreaterThanOrEqual(6);
    expect(known?.kids).toEqual(['k45']);
    source.stop();
  });

  it('are not fetched any more after the end', async () => {
    const source = open();
    await source.keys();
    await settled();
    source.stop();
    expect(clock.waiting()).toEqual([]);
    clock.advance(60_000);
    await source.keys(source.current);
    expect(asked).toHaveLength(1);
    expect(await kids(source)).toEqual(['a']);
  });
});

/** An issuer that does not answer: the requests that wait. */
let pending: PromiseWithResolvers<string>[];
let arrived: PromiseWithResolvers<void>;
const slow: TextFetch = () => {
  const request = Promise.withResolvers<string>();
  pending.push(request);
  arrived.resolve();
  arrived = Promise.withResolvers();
  return request.promise;
};
beforeEach(() => {
  pending = [];
  arrived = Promise.withResolvers();
});

describe('remote keys of an issuer that does not answer', () => {
  it('let valid tokens pass while a request for an unknown key is on its way', async () => {
    const [good, stranger] = await Promise.all([createIssuer('ES256', 'good'), createIssuer('ES256', 'stranger')]);
    const creating = createAuthenticator({ issuers: [], audiences: [], jwks }, { clock, log, fetchText: slow });
    pending[0]?.resolve(JSON.stringify({ keys: [good.jwk] }));
    const authn = await creating;
    const claims = { sub: 'me', exp: Math.floor(clock.now() / 1000) + 3_600 };
    const ask = async (issuer: typeof good): Promise<string> =>
      (await authn.authenticate(`Bearer ${await issuer.sign(claims)}`)).kind;
    expect(await ask(good)).toBe('caller');
    await settled();

    for (const [count, problem] of [
      [2, 'no answer within 5000 ms'],
      [3, 'fetch failed'],
    ] as const) {
      const requested = arrived.promise;
      clock.advance(10_000);
      const asking = ask(stranger);
      await requested;
      clock.advance(5_000);
      // None of these was verified before.
      for (let i = 0; i < 10; i += 1) expect(await ask(good)).toBe('caller');
      expect(pending).toHaveLength(count);
      pending.at(-1)?.reject(new Error(problem));
      expect(await asking).toBe('refused');
      await settled();
    }
    expect(log.lines.filter(({ message }) => message.includes('no key of'))).toHaveLength(1);
  });

  it('answer at once for an unknown key while nothing may be asked for', async () => {
    const source = openRemoteKeys(jwks, { clock, log, fetchText: slow });
    pending[0]?.resolve(named('a'));
    const first = await source.keys();
    clock.advance(9_999);
    expect(await source.keys(first)).toBe(first);
    expect(pending).toHaveLength(1);
  });

  it('are asked for once for all tokens, and ten seconds after that request', async () => {
    const source = openRemoteKeys(jwks, { clock, log, fetchText: slow });
    pending[0]?.resolve(named('a'));
    const first = await source.keys();
    await settled();
    clock.advance(10_000);
    const waiting = [source.keys(first)];
    clock.advance(4_000);
    for (let i = 0; i < 50; i += 1) waiting.push(source.keys(first));
    expect(pending).toHaveLength(2);
    pending[1]?.resolve(named('a'));
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([first]));
    clock.advance(6_000);
    const next = source.keys(first);
    expect(pending).toHaveLength(3);
    pending[2]?.resolve(named('b'));
    expect((await next)?.kids).toEqual(['b']);
  });
});

describe('remote keys and tokens', () => {
  it('that were never fetched mean 503 without a challenge, but still 401 without a token', async () => {
    answer = new Error('fetch failed');
    const authn = await createAuthenticator({ issuers: [], audiences: [], jwks }, { clock, log, fetchText });
    const refused = await authn.authenticate(`Bearer ${guideToken}`);
    expect(refused).toMatchObject({ kind: 'refused', status: 503 });
    expect(refused).not.toHaveProperty('challenge');
    expect(await authn.authenticate(undefined)).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
    expect(warnings()).toEqual([expect.stringContaining('fetch failed; tokens cannot be verified until they can')]);
    answer = JSON.stringify(guideJwk);
    clock.advance(10_000);
    expect(await authn.authenticate(`Bearer ${guideToken}`)).toMatchObject({ kind: 'caller' });
  });

  it('that rotate accept the first token signed with the new key', async () => {
    const [old, fresh] = await Promise.all([createIssuer('ES256', 'old'), createIssuer('ES256', 'new')]);
    answer = JSON.stringify({ keys: [old.jwk] });
    const authn = await createAuthenticator({ issuers: [], audiences: [], jwks }, { clock, log, fetchText });
    const claims = { sub: 'me', exp: Math.floor(clock.now() / 1000) + 600 };
    expect(await authn.authenticate(`Bearer ${await old.sign(claims)}`)).toMatchObject({ kind: 'caller' });
    clock.advance(10_000);
    answer = JSON.stringify({ keys: [old.jwk, fresh.jwk] });
    expect(await authn.authenticate(`Bearer ${await fresh.sign(claims)}`)).toMatchObject({ kind: 'caller' });
  });
});

it('the token cache is bounded and evicts the oldest entry', () => {
  const cache = createTokenCache(2);
  const caller = { kind: 'principal', claims: {}, identity: '', expiresAt: 1000 } as const;
  for (const hash of ['a', 'b', 'c']) cache.put(hash, caller, 0);
  cache.put('late', caller, 1000);
  expect([cache.size, cache.get('a', 0), cache.get('b', 0), cache.get('late', 0)]).toEqual([
    2,
    undefined,
    caller,
    undefined,
  ]);
  expect([cache.get('c', 999), cache.get('c', 1000), cache.size]).toEqual([caller, undefined, 1]);
});
