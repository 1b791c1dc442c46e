import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type CertificateWishes, createAuthority } from '../../support/api-server/kube-certificates.ts';
import {
  authority,
  connect,
  connectTo,
  type Described,
  echo,
  failureOf,
  get,
  kubeconfigFor,
  listening,
  serve,
} from '../kube-rig.ts';

/** The error message of a request to this server, without the server. */
async function said(url: string, described?: Described): Promise<string> {
  const { connection, counters } = await connect(await kubeconfigFor({ url }, described));
  const text = await failureOf(get(connection));
  expect(text.startsWith(`${url} `)).toBe(true);
  expect(counters.total('gatehouse_kube_requests_total', { status: 'none' })).toBe(1);
  return text.slice(url.length + 1);
}

const http = (handle: RequestListener): Promise<string> => listening(createServer(handle));

describe('the error of a server that does not answer is for people', () => {
  it('when nothing listens', async () => {
    const server = await serve(echo);
    server.stop();
    expect(await said(server.url)).toBe('refuses connections: nothing listens there');
  });

  it('when its name is unknown', async () => {
    expect(await said('https://api.invalid:6443')).toMatch(/name server \(DNS\)/);
  });

  it('when it hangs up', async () => {
    const address = await listening(createTcpServer((socket) => void socket.once('data', () => socket.destroy())));
    expect(await said(`https://${address}`)).toMatch(/^(broke the connection|does not answer: .*before secure TLS)/);
  });

  it('when it does not speak TLS', async () => {
    const address = await http((_, response) => response.end());
    expect(await said(`https://${address}`)).toBe('does not speak TLS; is the port right?');
  });

  it('when it does not speak HTTP', async () => {
    const address = await listening(
      createTcpServer((socket) => void socket.once('data', () => socket.end('SSH-2.0\r\n'))),
    );
    const insecure = { cluster: { 'insecure-skip-tls-verify': true } };
    expect(await said(`http://${address}`, insecure)).toMatch(/^does not speak HTTP/);
  });
});

describe('the error of a certificate is for people', () => {
  it.each<[string, CertificateWishes, string]>([
    ['expired', { until: new Date('2024-01-01') }, 'has expired'],
    ['not valid yet', { from: new Date('2080-01-01') }, 'not valid yet'],
    ['for another name', { names: ['elsewhere'] }, 'certificate for another name'],
  ])('%s', async (_, wishes, words) => {
    const server = await serve(echo, { identity: authority.issue(wishes) });
    expect(await said(server.url)).toContain(words);
    expect(server.seen).toEqual([]);
  });

  it('of an unknown authority', async () => {
    const server = await serve(echo, { identity: createAuthority('somebody else').issue() });
    expect(await said(server.url)).toContain('unknown authority');
    expect(server.seen).toEqual([]);
  });

  it('there is none if tls-server-name matches, or verification is off', async () => {
    const server = await serve(echo, { identity: createAuthority('somebody else').issue({ names: ['elsewhere'] }) });
    const unchecked = { 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined };
    expect((await get((await connectTo(server, { cluster: unchecked })).connection)).status).toBe(200);

    const named = await serve(echo, { identity: authority.issue({ names: ['elsewhere'] }) });
    const { connection } = await connectTo(named, { cluster: { 'tls-server-name': 'elsewhere' } });
    expect((await get(connection)).status).toBe(200);
  });

  it('when the server requires a client certificate', async () => {
    const server = await serve(echo, { clientAuthority: authority.cert, protocol: 'http/1.1' });
    expect(await said(server.url)).toMatch(/does not accept our certificate|broke the connection/);
  });

  it('when our certificate is unreadable', async () => {
    const server = await serve(echo);
    const garbage = Buffer.from('-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----').toString('base64');
    const user = { 'client-certificate-data': garbage, 'client-key-data': garbage };
    expect(await said(server.url, { user })).toContain('not readable as PEM');
  });
});
