import { createHmac } from 'node:crypto';
import { type JWTPayload, UnsecuredJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthenticator } from '../../../src/gateway/authn/authn.ts';
import type { JwtAuthenticator } from '../../../src/gateway/authn/model.ts';
import type { JwtAuthnConfig } from '../../../src/gateway/config/model.ts';
import type { Authentication, Caller } from '../../../src/gateway/model.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer, type Issuer } from '../../support/gateway/issuer.ts';
import { guideJwk, guideToken } from '../../support/processes/guide.ts';

let clock: ManualClock;
let log: RecordedLog;
let issuer: Issuer;
beforeAll(async () => {
  issuer = await createIssuer('ES256', 'a');
});
beforeEach(() => {
  clock = createManualClock();
  log = createRecordedLog();
});

const noFetch = async (): Promise<string> => {
  throw new Error('nothing is fetched here');
};
const withKeys = (keys: unknown, change: Partial<JwtAuthnConfig> = {}): Promise<JwtAuthenticator> =>
  createAuthenticator(
    { issuers: ['me'], audiences: ['me.com'], jwks: { kind: 'inline', text: JSON.stringify(keys) }, ...change },
    { clock, log, fetchText: noFetch },
  );
const seconds = (fromNow: number): number => Math.floor(clock.now() / 1000) + fromNow;
const good = (): JWTPayload => ({ iss: 'me', aud: 'me.com', sub: 'me', exp: seconds(300) });
const principal = (answer: Authentication): Caller & { kind: 'principal' } => {
  if (answer.kind === 'caller' && answer.caller.kind === 'principal') return answer.caller;
  throw new Error(`refused: ${JSON.stringify(answer)}`);
};
const invalid = (description: string): object => ({
  kind: 'refused',
  status: 401,
  challenge: `Bearer realm="mcp-gateway", error="invalid_token", error_description="${description}"`,
});

describe("the guide's token", () => {
  it.each([['Bearer'], ['bearer'], ['BEARER ']])('is accepted after %s, with the key of the guide', async (scheme) => {
    const authn = await withKeys(guideJwk);
    const caller = principal(await authn.authenticate(`${scheme} ${guideToken}`));
    expect(caller.claims).toMatchObject({ iss: 'me', aud: 'me.com', sub: 'me' });
    expect(caller.expiresAt).toBe(1_900_650_294_000);
  });

  it('is invalid when one character changes', async () => {
    const authn = await withKeys(guideJwk);
    const changed = guideToken.replace(/.{3}$/, 'xxx');
    expect(await authn.authenticate(`Bearer ${changed}`)).toMatchObject(
      invalid('The signature of the token does not fit'),
    );
  });
});

it('a token that comes with many requests at once is verified once, and so is one that is not valid', async () => {
  const authn = await withKeys(issuer.jwk);
  const verify = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => void verify.mockRestore());
  const token = await issuer.sign(good());
  const answers = await Promise.all(Array.from({ length: 500 }, () => authn.authenticate(`Bearer ${token}`)));
  expect(new Set(answers.map((answer) => principal(answer).identity)).size).toBe(1);
  expect(verify).toHaveBeenCalledTimes(1);
  const changed = `Bearer ${token.replace(/.{3}$/, 'xxx')}`;
  for (const { kind } of await Promise.all(Array.from({ length: 500 }, () => authn.authenticate(changed)))) {
    expect(kind).toBe('refused');
  }
  expect(verify).toHaveBeenCalledTimes(2);
});

describe('a request without a token', () => {
  it.each([undefined, '', 'Bearer', 'Bearer  ', 'Basic bWU6bWU=', 'Token x'])(
    'gets a challenge without an error code: %j',
    async (header) => {
      const authn = await withKeys(guideJwk);
      const answer = await authn.authenticate(header);
      expect(answer).toMatchObject({ kind: 'refused', status: 401, challenge: 'Bearer realm="mcp-gateway"' });
    },
  );

  it('has a line in the log, one in ten minutes, which says whether there was anything else', async () => {
    const authn = await withKeys(guideJwk);
    for (let times = 0; times < 3; times += 1) await authn.authenticate(undefined);
    await authn.authenticate('Basic bWU6bWU=');
    clock.advance(600_000);
    await authn.authenticate(undefined);
    const message = 'requests without a token were refused; this is one of them';
    expect(log.lines.filter(({ level }) => level === 'info')).toEqual(
      ['no token', 'no bearer token', 'no token'].map((code) => ({ level: 'info', message, fields: { code } })),
    );
    expect(log.text()).not.toContain('bWU6bWU');
  });
});

const changes: [string, (claims: JWTPayload) => JWTPayload, string][] = [
  ['has expired', (it) => ({ ...it, exp: seconds(-61) }), 'The token has expired'],
  ['never expires', ({ exp: _, ...it }) => it, 'The claim exp is missing or not what this gateway accepts'],
  [
    'expires at no number',
    (it) => ({ ...it, exp: 'never' as unknown as number }),
    'The claim exp is missing or not what this gateway accepts',
  ],
  [
    'is from another issuer',
    (it) => ({ ...it, iss: 'you' }),
    'The claim iss is missing or not what this gateway accepts',
  ],
  ['has no issuer', ({ iss: _, ...it }) => it, 'The claim iss is missing or not what this gateway accepts'],
  [
    'is for another audience',
    (it) => ({ ...it, aud: 'you.com' }),
    'The claim aud is missing or not what this gateway accepts',
  ],
  ['has no audience', ({ aud: _, ...it }) => it, 'The claim aud is missing or not what this gateway accepts'],
  [
    'is valid only in a far future',
    (it) => ({ ...it, nbf: 1e12 }),
    'The claim nbf is missing or not what this gateway accepts',
  ],
  [
    'was issued in a far future',
    (it) => ({ ...it, iat: 1e12 }),
    'The claim iat is missing or not what this gateway accepts',
  ],
  [
    'is valid since before 1970',
    (it) => ({ ...it, nbf: -1 }),
    'The claim nbf is missing or not what this gateway accepts',
  ],
  ['expired before 1970', (it) => ({ ...it, exp: -1e300 }), 'The token has expired'],
  [
    'expires after the year 9999, as one in milliseconds does',
    (it) => ({ ...it, exp: seconds(300) * 1_000 }),
    'The claim exp is missing or not what this gateway accepts',
  ],
  [
    'is not valid yet',
    (it) => ({ ...it, nbf: seconds(61) }),
    'The claim nbf is missing or not what this gateway accepts',
  ],
  ['was issued in the future', (it) => ({ ...it, iat: seconds(61) }), 'The token was issued in the future'],
  [
    'was issued at no number',
    (it) => ({ ...it, iat: 'now' as unknown as number }),
    'The claim iat is missing or not what this gateway accepts',
  ],
];

describe('a token that is refused', () => {
  it.each(changes)('%s', async (_, change, description) => {
    const authn = await withKeys(issuer.jwk);
    expect(await authn.authenticate(`Bearer ${await issuer.sign(change(good()))}`)).toMatchObject(invalid(description));
  });

  it.each([
    ['exp', '1e400'],
    ['exp', '-1e400'],
    ['exp', '1e300'],
    ['exp', '253402300800'],
    ['nbf', '1e400'],
    ['nbf', '-1e400'],
    ['iat', '1e400'],
    ['iat', '-1e400'],
  ])('has %s written as %s', async (claim, number) => {
    const authn = await withKeys(issuer.jwk);
    const token = await issuer.signText(JSON.stringify({ ...good(), [claim]: 'X' }).replace('"X"', number));
    expect(await authn.authenticate(`Bearer ${token}`)).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('names another key, or is signed with another key', async () => {
    const authn = await withKeys(issuer.jwk);
    const stranger = await createIssuer('ES256', 'a');
    expect(await authn.authenticate(`Bearer ${await issuer.sign(good(), { kid: 'b' })}`)).toMatchObject(
      invalid('No key of this gateway fits the token'),
    );
    expect(await authn.authenticate(`Bearer ${await stranger.sign(good())}`)).toMatchObject(
      invalid('The signature of the token does not fit'),
    );
  });

  it('is signed with the public key as an HMAC secret, or is unsigned', async () => {
    const rsa = await createIssuer('RS256', 'a');
    const authn = await withKeys(rsa.jwk);
    const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
    const unsigned = `${part({ alg: 'HS256', kid: 'a' })}.${part(good())}`;
    const confused = `${unsigned}.${createHmac('sha256', JSON.stringify(rsa.jwk)).update(unsigned).digest('base64url')}`;
    const plain = new UnsecuredJWT(good()).encode();
    for (const token of [confused, plain]) {
      expect(await authn.authenticate(`Bearer ${token}`)).toMatchObject({ kind: 'refused', status: 401 });
    }
  });

  it.each(['x', 'a.b.c', '"quoted"', 'a b', '{}', `${'x'.repeat(9000)}`])('is malformed: %.20s', async (token) => {
    const authn = await withKeys(issuer.jwk);
    expect(await authn.authenticate(`Bearer ${token}`)).toMatchObject(invalid('The token cannot be read'));
    expect(log.lines.filter(({ level }) => level === 'info')).toHaveLength(1);
  });

  it('appears neither in the log nor in the response, but for its issuer and key id in the log', async () => {
    const authn = await withKeys(issuer.jwk);
    const token = await issuer.sign({ ...good(), iss: 'stranger', sub: 'somebody' });
    const answer = await authn.authenticate(`Bearer ${token}`);
    await authn.authenticate(`Bearer ${await issuer.sign(good())}`);
    for (const part of [...token.split('.'), 'somebody']) expect(log.text()).not.toContain(part);
    for (const part of [...token.split('.'), 'somebody', 'stranger'])
      expect(JSON.stringify(answer)).not.toContain(part);
    const reason = 'The claim iss is missing or not what this gateway accepts';
    const fields = { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', reason, issuer: 'stranger', kid: 'a' };
    expect(log.lines).toEqual([
      { level: 'debug', message: 'a token was refused', fields },
      { level: 'info', message: 'tokens were refused; this is one of them', fields },
    ]);
  });
});

describe('the log of tokens that are refused', () => {
  it.each([{ aud: 'another' }, { iss: 'another' }])(
    'is logged with the claim that is wrong, each once: %j',
    async (wrong) => {
      const authn = await withKeys(issuer.jwk);
      for (const claims of [{ aud: 'x' }, { iss: 'x' }, wrong]) {
        await authn.authenticate(`Bearer ${await issuer.sign({ ...good(), ...claims })}`);
      }
      const told = log.lines.filter(({ level }) => level === 'info').map(({ fields }) => fields['reason']);
      expect(told).toEqual(
        ['aud', 'iss'].map((claim) => `The claim ${claim} is missing or not what this gateway accepts`),
      );
    },
  );
});

describe('a token that is accepted', () => {
  const accepted = async (authn: JwtAuthenticator, claims: JWTPayload): Promise<Caller & { kind: 'principal' }> =>
    principal(await authn.authenticate(`Bearer ${await issuer.sign(claims)}`));

  it('may deviate from the clock by one minute', async () => {
    const authn = await withKeys(issuer.jwk);
    await accepted(authn, { ...good(), exp: seconds(-59) });
    await accepted(authn, { ...good(), nbf: seconds(60), iat: seconds(60) });
  });

  it('may have several audiences, one of them expected', async () => {
    await accepted(await withKeys(issuer.jwk), { ...good(), aud: ['you.com', 'me.com'] });
  });

  it('may have any issuer and audience when none is configured, but must expire', async () => {
    const authn = await withKeys(issuer.jwk, { issuers: [], audiences: [] });
    await accepted(authn, { exp: seconds(300) });
    expect(await authn.authenticate(`Bearer ${await issuer.sign({})}`)).toMatchObject({ status: 401 });
  });

  it('has the identity of its issuer and subject, and shares it with no other pair', async () => {
    const authn = await withKeys(issuer.jwk, { issuers: [], audiences: [] });
    const people: JWTPayload[] = [
      { iss: 'a', sub: 'b' },
      { iss: 'a', sub: 'b"],["c' },
      { iss: 'a","b', sub: '' },
      { iss: 'ab', sub: '' },
      { iss: 'ab', sub: 'c' },
      { iss: 'a', sub: 'bc' },
      { sub: 'b' },
      { iss: 'null', sub: 'b' },
      { iss: 'a' },
      { iss: 'a', client_id: 'b' },
      { iss: 'a', azp: 'b' },
      { client_id: 'b' },
      { iss: 'a', scope: 'x' },
      {},
    ];
    const identities = await Promise.all(
      people.map(async (it) => (await accepted(authn, { ...it, exp: seconds(300) })).identity),
    );
    expect(new Set(identities).size).toBe(people.length);
    expect((await accepted(authn, { iss: 'a', sub: 'b', exp: seconds(200), jti: 'another' })).identity).toBe(
      identities[0],
    );
  });
});

describe('the identity of a token without a subject', () => {
  const identityOf = async (claims: JWTPayload, by: Issuer = issuer): Promise<string> => {
    const authn = await withKeys({ keys: [issuer.jwk, other.jwk] }, { issuers: [], audiences: [] });
    return principal(await authn.authenticate(`Bearer ${await by.sign({ exp: seconds(300), ...claims })}`)).identity;
  };
  let other: Issuer;
  beforeAll(async () => {
    other = await createIssuer('ES256', 'b');
  });

  it.each(['client_id', 'azp'])('is that of its client by %s, after a refresh too', async (name) => {
    const first = await identityOf({ iss: 'a', [name]: 'me', jti: '1', scope: 'x' });
    expect(await identityOf({ iss: 'a', [name]: 'me', jti: '2', scope: 'y', exp: seconds(600) })).toBe(first);
    expect(await identityOf({ iss: 'a', [name]: 'you' })).not.toBe(first);
    expect(await identityOf({ iss: 'b', [name]: 'me' })).not.toBe(first);
  });

  it('is, without a client, its key and its claims but jti, iat, exp and nbf, in any order', async () => {
    const first = await identityOf({ jti: '1', team: { a: 1, b: [2, { c: 3, d: 4 }] }, level: 'x' });
    const refreshed = { level: 'x', team: { b: [2, { d: 4, c: 3 }], a: 1 }, nbf: seconds(-1), iat: seconds(0) };
    expect(await identityOf({ ...refreshed, exp: seconds(900) })).toBe(first);
    expect(await identityOf({ ...refreshed, level: 'y' })).not.toBe(first);
    expect(await identityOf(refreshed, other)).not.toBe(first);
  });

  it('is found for a key that says that it must not be exported', async () => {
    const authn = await withKeys({ ...issuer.jwk, ext: false }, { issuers: [], audiences: [] });
    const answer = await authn.authenticate(`Bearer ${await issuer.sign({ exp: seconds(300), team: 'x' })}`);
    expect(principal(answer).identity).toBe(await identityOf({ team: 'x' }));
  });

  it('is the same in all sixteen spellings of its signature', async () => {
    const authn = await withKeys(issuer.jwk, { issuers: [], audiences: [] });
    const token = await issuer.sign({ exp: seconds(300), team: 'x' });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const callers = await Promise.all(
      [...alphabet].map((last) => authn.authenticate(`Bearer ${token.slice(0, -1)}${last}`)),
    );
    const accepted = callers.filter(({ kind }) => kind === 'caller').map(principal);
    expect(accepted).toHaveLength(16);
    expect(new Set(accepted.map(({ identity }) => identity)).size).toBe(1);
  });
});

describe('the selection of the key', () => {
  const accepts = async (keys: unknown, token: string): Promise<boolean> =>
    (await (await withKeys(keys)).authenticate(`Bearer ${token}`)).kind === 'caller';

  it('uses a single key without an id for a token that names one', async () => {
    const bare = await createIssuer();
    const token = await bare.sign(good(), { kid: 'x' });
    expect(await accepts(bare.jwk, token)).toBe(true);
    expect(await accepts({ keys: [bare.jwk] }, token)).toBe(true);
    expect(await accepts({ keys: [bare.jwk, issuer.jwk] }, token)).toBe(false);
  });

  it('tries each matching key for a token without a key id', async () => {
    const [first, second, stranger] = await Promise.all([createIssuer(), createIssuer(), createIssuer()]);
    const keys = { keys: [first.jwk, issuer.jwk, second.jwk] };
    expect(await accepts(keys, await second.sign(good()))).toBe(true);
    expect(await accepts(keys, await issuer.sign(good(), { kid: null }))).toBe(true);
    expect(await accepts(keys, await stranger.sign(good()))).toBe(false);
    const late = await (await withKeys(keys)).authenticate(
      `Bearer ${await second.sign({ ...good(), exp: seconds(-100) })}`,
    );
    expect(late).toMatchObject(invalid('The token has expired'));
  });
});

describe('a verified token', () => {
  it('expires at exp, or at the end of the clock tolerance when it is accepted after exp', async () => {
    const authn = await withKeys(issuer.jwk);
    const expiryOf = async (exp: number): Promise<number> =>
      principal(await authn.authenticate(`Bearer ${await issuer.sign({ ...good(), exp })}`)).expiresAt;
    expect(await expiryOf(seconds(1))).toBe(clock.now() + 1_000);
    expect(await expiryOf(seconds(0))).toBe(clock.now() + 60_000);
    expect(await expiryOf(seconds(-59))).toBe(clock.now() + 1_000);
  });

  it('is cached for one minute, and not longer than it is valid', async () => {
    const authn = await withKeys(issuer.jwk);
    const header = `Bearer ${await issuer.sign({ ...good(), exp: seconds(90) })}`;
    const first = principal(await authn.authenticate(header));
    clock.advance(59_000);
    expect(principal(await authn.authenticate(header))).toBe(first);
    clock.advance(2_000);
    const second = principal(await authn.authenticate(header));
    expect(second).not.toBe(first);
    clock.advance(28_999);
    expect(principal(await authn.authenticate(header))).toBe(second);
    clock.advance(61_001);
    expect(await authn.authenticate(header)).toMatchObject(invalid('The token has expired'));
  });
});

it('the status shows public values only', async () => {
  expect((await withKeys({ keys: [issuer.jwk, { ...guideJwk, kid: undefined }] })).status()).toEqual({
    issuers: ['me'],
    audiences: ['me.com'],
    source: 'inline',
    keys: ['a', null],
  });
});

it('unusable keys are an error at the start', async () => {
  await expect(withKeys({ ...guideJwk, d: 'x' })).rejects.toMatchObject({
    reason: 'usage',
    message: expect.stringContaining(
      'listener.authn.jwks.source.data cannot be used: the key "XhO06x8JjWH1wwkWkyeEUxsooGEWoEdidEpwyd_hmuI" holds a private key',
    ),
  });
});
