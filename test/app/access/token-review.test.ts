import { describe, expect, it } from 'vitest';
import { openSecurity } from '../../../src/app/access/security.ts';
import { connectTo, serve } from '../../kube/kube-rig.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type AuthWorld, fateOf, startAuthWorld } from '../../support/worlds/auth-world.ts';

const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

const accepted = {
  authenticated: true,
  audiences: ['gatehouse'],
  user: { username: 'system:serviceaccount:red:gw', uid: 'u', groups: [] },
};

/** As Kubernetes says it of a token whose time is over by the clock of the API server. */
const expired = { error: '[invalid bearer token, service account token has expired]', user: {} };

/** A control plane that has tokens reviewed by an API server, which answers with these statuses one after another. */
async function reviewedBy(statuses: readonly object[]): Promise<{ served: AuthWorld; reviews: () => number }> {
  const server = await serve((request) => {
    const status = statuses[server.seen.length - 1] ?? statuses.at(-1);
    request.head(201, { 'content-type': 'application/json' });
    request.end(JSON.stringify({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status }));
  });
  const { connection, clock, counters } = await connectTo(server);
  const { auth } = await openSecurity(
    {
      xdsTls: { mode: 'off' },
      xdsAuth: { kind: 'required', tokens: { audience: 'gatehouse', keys: undefined }, certificates: undefined },
      debugAuth: { kind: 'none' },
      xdsListen: { host: '127.0.0.1', port: 9977 },
    },
    { clock, counters, log: createRecordedLog(), connection, denied: () => undefined },
  );
  const verify = auth?.tokens?.verify;
  if (verify === undefined) throw new Error('no tokens are verified');
  const served = await startAuthWorld({ ways: ['token'], accounts: { 'red/gw': ['gw'] }, verify });
  return { served, reviews: () => server.seen.length };
}

describe('a token that has expired by the clock of the API server, and not by ours', () => {
  const node = { role: 'red~gw' };

  it('is refused in its words, and again without another review', async () => {
    const { served, reviews } = await reviewedBy([expired]);
    const headers = bearer(await served.token('red/gw'));
    const refusal = {
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining(
        'the token is not accepted: [invalid bearer token, service account token has exp',
      ),
    };
    expect(await fateOf(served.world.client(), { node, headers })).toMatchObject(refusal);
    expect(await fateOf(served.world.client(), { node, headers })).toMatchObject(refusal);
    expect(reviews()).toBe(1);
  });

  it('was accepted before, and is refused a minute later', async () => {
    const { served } = await reviewedBy([accepted, expired]);
    const headers = bearer(await served.token('red/gw'));
    expect(await fateOf(served.world.client(), { node, headers })).toEqual({ served: ['default.red-gw'] });
    served.world.clock.advance(60_000);
    expect(await fateOf(served.world.client(), { node, headers })).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
