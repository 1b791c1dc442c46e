import { writeFile } from 'node:fs/promises';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KubeServer } from '../support/api-server/kube-server.ts';
import { authority, connect, echo, failureOf, get, kubeconfigFor, kubeconfigText, serve } from './kube-rig.ts';

/** A token as an issuer writes it, with an invalid signature, which is not verified. */
function idToken(issuer: string, number: number, until: number): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: issuer, sub: `me-${number}`, aud: 'gatehouse', iat: 1_600_000_000, exp: until };
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

interface Issuer {
  readonly server: KubeServer;
  /** The refresh tokens that were used, in their order; each is valid once. */
  readonly shown: readonly string[];
}

async function createIssuer(): Promise<Issuer> {
  const shown: string[] = [];
  const server = await serve(
    async (request) => {
      request.head(200, { 'content-type': 'application/json' });
      if (request.method === 'GET') {
        request.end(JSON.stringify({ issuer: server.url, token_endpoint: `${server.url}/token` }));
        return;
      }
      shown.push(new URLSearchParams(await request.text).get('refresh_token') ?? '');
      const token = idToken(server.url, shown.length, 4_000_000_000);
      const next = { id_token: token, refresh_token: `refresh-${shown.length}`, access_token: 'x' };
      request.end(JSON.stringify({ ...next, token_type: 'bearer', expires_in: 3600 }));
    },
    { protocol: 'http/1.1' },
  );
  return { server, shown };
}

/** Makes Node's own fetch, by which issuers are requested, trust the authority. */
function trustAuthority(): void {
  const before = getGlobalDispatcher();
  const trusting = new Agent({ connect: { ca: authority.cert } });
  setGlobalDispatcher(trusting);
  onTestFinished(() => {
    setGlobalDispatcher(before);
    return trusting.destroy();
  });
}

describe('an OIDC user', () => {
  it('whose ID token has expired gets a new one, once, and uses no refresh token twice', async () => {
    trustAuthority();
    const [issuer, server] = [await createIssuer(), await serve(echo)];
    const user = {
      'auth-provider': {
        name: 'oidc',
        config: {
          'client-id': 'gatehouse',
          'id-token': idToken(issuer.server.url, 0, 1_600_000_001),
          'refresh-token': 'refresh-0',
          'idp-issuer-url': issuer.server.url,
        },
      },
    };
    const access = await kubeconfigFor(server, { user });
    const { connection, clock } = await connect(access);
    await get(connection);
    clock.advance(30_000);
    await get(connection);
    expect(issuer.shown).toEqual(['refresh-0']);

    connection.forgetCredentials();
    await get(connection);
    expect(issuer.shown).toEqual(['refresh-0', 'refresh-1']);

    // After a new login, the file counts again.
    const data = Buffer.from(authority.cert).toString('base64');
    const fresh = idToken(issuer.server.url, 9, 4_000_000_000);
    const config = { ...user['auth-provider'].config, 'id-token': fresh };
    const anew = { 'auth-provider': { name: 'oidc', config } };
    await writeFile(access.path, kubeconfigText({ server: server.url, 'certificate-authority-data': data }, anew));
    connection.forgetCredentials();
    await get(connection);
    expect(issuer.shown).toHaveLength(2);
    const subjects = server.seen.map(({ headers }) => subjectOf(headers.authorization ?? ''));
    expect(subjects).toEqual(['me-1', 'me-1', 'me-2', 'me-9']);
  });

  it('gets an error with a remedy when the issuer does not answer', async () => {
    const issuer = await createIssuer();
    issuer.server.stop();
    const config = {
      'client-id': 'gatehouse',
      'id-token': idToken(issuer.server.url, 0, 1_600_000_001),
      'refresh-token': 'refresh-0',
      'idp-issuer-url': issuer.server.url,
    };
    const user = { 'auth-provider': { name: 'oidc', config } };
    const { connection } = await connect(await kubeconfigFor({ url: 'https://127.0.0.1:1' }, { user }));
    const said = await failureOf(get(connection));
    expect(said).toMatch(/^the credentials of user "user" cannot be had: .*; log in anew, or let a plugin do it/);
    expect(said).not.toContain('refresh-0');
  });
});

function subjectOf(authorization: string): unknown {
  return JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()).sub;
}
