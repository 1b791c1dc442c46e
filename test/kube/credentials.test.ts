import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../support/api-server/kube-certificates.ts';
import type { Seen } from '../support/api-server/kube-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  authority,
  connect,
  connectTo,
  echo,
  failureOf,
  firstEvent,
  get,
  kubeconfigFor,
  kubeconfigText,
  serve,
  textOf,
} from './kube-rig.ts';

/** Accepts this token only. */
function only(token: string): (request: Seen) => void {
  return (request) => {
    request.head(request.headers.authorization === `Bearer ${token}` ? 200 : 401);
    request.end();
  };
}

describe('a token in a file', () => {
  it('is sent without its line break', async () => {
    const server = await serve(echo);
    const tokenFile = join(temporaryFolder(), 'token');
    await writeFile(tokenFile, 'from-a-file\n');
    const { connection } = await connectTo(server, { user: { token: 'old', tokenFile } });
    await get(connection);
    expect(server.seen[0]?.headers.authorization).toBe('Bearer from-a-file');
  });

  it('is read again after a 401', async () => {
    const server = await serve(only('new'));
    const access = await kubeconfigFor(server, { user: { tokenFile: 'token' } });
    const tokenFile = join(dirname(access.path), 'token');
    await writeFile(tokenFile, 'old');
    const { connection, counters } = await connect(access);
    expect((await get(connection)).status).toBe(401);
    await writeFile(tokenFile, 'new');
    expect((await get(connection)).status).toBe(200);
    expect(counters.total('gatehouse_kube_requests_total', { status: '401' })).toBe(1);
    expect(server.opened()).toBe(1);
  });

  it('is not read for every request', async () => {
    const server = await serve(echo);
    const tokenFile = join(temporaryFolder(), 'token');
    await writeFile(tokenFile, 'old');
    const { connection } = await connectTo(server, { user: { tokenFile } });
    await get(connection);
    await writeFile(tokenFile, 'new');
    await get(connection);
    connection.forgetCredentials();
    await get(connection);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
  });

  it('that is missing fails the request with its path', async () => {
    const server = await serve(echo);
    const { connection, counters } = await connectTo(server, { user: { tokenFile: '/nowhere/token' } });
    expect(await failureOf(get(connection))).toBe(
      'the credentials of user "user" cannot be had: /nowhere/token: it does not exist',
    );
    expect(counters.total('gatehouse_kube_requests_total', { status: 'none' })).toBe(1);
  });
});

describe('a user', () => {
  it('may have a name and a password', async () => {
    const server = await serve(echo);
    const { connection } = await connectTo(server, { user: { username: 'me', password: 'pass' } });
    await get(connection);
    expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:pass').toString('base64')}`);
  });

  it('may have an ID token of an OIDC issuer that has not expired', async () => {
    const server = await serve(echo);
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ exp: 4_000_000_000 })}.x`;
    const { connection } = await connectTo(server, {
      user: { 'auth-provider': { name: 'oidc', config: { 'id-token': token, 'client-id': 'x' } } },
    });
    await get(connection);
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${token}`);
  });

  it('may have a certificate', async () => {
    const server = await serve(echo, { clientAuthority: authority.cert });
    const { cert, key } = authority.issue();
    const { connection } = await connectTo(server, {
      user: {
        'client-certificate-data': Buffer.from(cert).toString('base64'),
        'client-key-data': Buffer.from(key).toString('base64'),
      },
    });
    expect((await get(connection)).status).toBe(200);
  });
});

describe('a certificate in a file', () => {
  it('that is half written fails requests in words, and counts within ten seconds once it is whole', async () => {
    const server = await serve(echo, { clientAuthority: authority.cert });
    const { cert, key } = authority.issue();
    const access = await kubeconfigFor(server, { user: { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' } });
    const certFile = join(dirname(access.path), 'tls.crt');
    await writeFile(join(dirname(access.path), 'tls.key'), key);
    await writeFile(certFile, cert.slice(0, cert.length / 2));
    const { connection, clock } = await connect(access);
    expect(await failureOf(get(connection))).toContain('a certificate or key of ours is not readable as PEM');
    await writeFile(certFile, cert);
    clock.advance(10_000);
    expect((await get(connection)).status).toBe(200);
  });
});

describe('the authority of the cluster', () => {
  it('may be replaced on disk: new connections trust the new one, an open watch goes on', async () => {
    const caFile = join(temporaryFolder(), 'ca.crt');
    await writeFile(caFile, authority.cert);
    const server = await serve(firstEvent);
    const { connection, clock } = await connectTo(server, {
      cluster: { 'certificate-authority-data': undefined, 'certificate-authority': caFile },
    });
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    const next = createAuthority('the next');
    server.present(next.issue());
    await writeFile(caFile, next.cert);
    clock.advance(10_000);
    expect((await get(connection, '/after')).text).toBe('/after');
    expect(server.opened()).toBe(2);
    const reading = textOf(watch);
    server.seen[0]?.end(', second');
    expect(await reading).toBe('first, second');
  });

  it('is read again when the certificate of the server has another', async () => {
    const caFile = join(temporaryFolder(), 'ca.crt');
    await writeFile(caFile, authority.cert);
    const next = createAuthority('the next');
    const server = await serve(echo, { identity: next.issue() });
    const { connection } = await connectTo(server, {
      cluster: { 'certificate-authority-data': undefined, 'certificate-authority': caFile },
    });
    expect(await failureOf(get(connection))).toContain('unknown authority');
    await writeFile(caFile, next.cert);
    expect((await get(connection)).status).toBe(200);
  });
});

describe('a kubeconfig that changes', () => {
  it('is read again after a 401, but may not name another server', async () => {
    const server = await serve(only('new'));
    const access = await kubeconfigFor(server, { user: { token: 'old' } });
    const { connection } = await connect(access);
    expect((await get(connection)).status).toBe(401);
    const data = Buffer.from(authority.cert).toString('base64');
    await writeFile(
      access.path,
      kubeconfigText({ server: server.url, 'certificate-authority-data': data }, { token: 'new' }),
    );
    expect((await get(connection)).status).toBe(200);

    await writeFile(access.path, kubeconfigText({ server: 'https://elsewhere:6443' }, { token: 'new' }));
    connection.forgetCredentials();
    expect(await failureOf(get(connection))).toContain('leads to https://elsewhere:6443 now');
  });
});
