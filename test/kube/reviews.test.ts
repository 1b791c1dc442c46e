import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { reviewAccess, reviewToken } from '../../src/kube/kube.ts';
import type { KubeConnection } from '../../src/kube/model.ts';

type Asked = Pick<KubeConnection, 'ask'>;
type Answer = Awaited<ReturnType<KubeConnection['ask']>>;

const { signal } = new AbortController();
const question = { token: 'a.b.c', audience: 'gatehouse', signal };

function answering(body: unknown, status = 201): Asked {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { ask: async () => ({ status, headers: {}, body: text }) as unknown as Answer };
}

const review = (status: unknown, kind = 'TokenReview'): Asked =>
  answering({ apiVersion: 'authentication.k8s.io/v1', kind, status });

const user = { username: 'system:serviceaccount:red:gw', uid: 'u', groups: ['g'], extra: { scopes: ['read'] } };
const good = { authenticated: true, audiences: ['gatehouse'], user };

describe('a TokenReview', () => {
  it('that is good says who the token belongs to', async () => {
    expect(await reviewToken(review(good), question)).toEqual({ kind: 'authenticated', user });
  });

  it.each([
    ['HTML', answering('<html><body>Sign in</body></html>', 200)],
    ['HTML with an error status', answering('<html></html>', 502)],
    ['an object of another kind', review(good, 'Status')],
    ['an object of another kind with its status', review(good, 'SubjectAccessReview')],
    ['no object', answering([good])],
    ['nothing', answering('')],
    ['a text for the boolean', review({ ...good, authenticated: 'true' })],
    ['a number for the boolean', review({ ...good, authenticated: 1 })],
    ['values that cannot be read', review({ ...good, user: { ...user, extra: { scopes: 'all' } } })],
    ['a redirect', answering(good, 302)],
    ['a connection that breaks', { ask: () => Promise.reject(new Error('closed')) }],
  ])('that is %s says nothing about the token', async (_, asked) => {
    expect(await reviewToken(asked, question)).toMatchObject({ kind: 'unavailable' });
  });

  it.each([
    ['is not authenticated', review({ authenticated: false, error: 'no' })],
    ['has no status', answering({ kind: 'TokenReview' })],
    ['is for other audiences', review({ ...good, audiences: ['vault'] })],
    ['names no audience', review({ authenticated: true, user })],
    ['names audiences as a text', review({ ...good, audiences: 'gatehouse' })],
  ])('that %s refuses the token', async (_, asked) => {
    expect(await reviewToken(asked, question)).toMatchObject({ kind: 'refused' });
  });

  it('that never comes ends with its signal', async () => {
    const abort = new AbortController();
    const ask: KubeConnection['ask'] = ({ signal: given }) =>
      new Promise((_, reject) => given?.addEventListener('abort', () => reject(new Error('no answer in time'))));
    const answer = reviewToken({ ask }, { ...question, signal: abort.signal });
    await turn();
    abort.abort();
    expect(await answer).toEqual({ kind: 'unavailable', message: 'no answer in time' });
  });
});

describe('a SubjectAccessReview', () => {
  const url = { path: '/metrics', verb: 'get' };

  it('asks with everything that is known about the user', async () => {
    const bodies: unknown[] = [];
    const ask: KubeConnection['ask'] = async ({ body }) => {
      bodies.push(JSON.parse(String(body)));
      return {
        status: 201,
        headers: {},
        body: '{"kind":"SubjectAccessReview","status":{"allowed":true}}',
      } as unknown as Answer;
    };
    expect(await reviewAccess({ ask }, user, url, signal)).toEqual({ kind: 'allowed' });
    const { username, ...rest } = user;
    expect(bodies).toMatchObject([{ spec: { ...rest, user: username, nonResourceAttributes: url } }]);
  });

  it.each([
    ['allows as a text', { allowed: 'true' }],
    ['allows and denies', { allowed: true, denied: true }],
    ['says nothing', {}],
  ])('that %s allows nothing', async (_, status) => {
    expect(await reviewAccess(review(status, 'SubjectAccessReview'), user, url, signal)).toEqual({ kind: 'denied' });
  });

  it('that is HTML allows nothing', async () => {
    expect(await reviewAccess(answering('<html>'), user, url, signal)).toMatchObject({ kind: 'unavailable' });
  });
});
