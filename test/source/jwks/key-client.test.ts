import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createKeyClient, type FetchKeys } from '../../../src/source/jwks/key-client.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { systemClock } from '../../support/edges/system-clock.ts';

const open = { allowHttp: true, allowPrivate: true };

/** A client that may connect to this machine, as no flag allows. */
function trusting(clock: ManualClock | typeof systemClock = systemClock): FetchKeys {
  const client = createKeyClient(open, clock, () => undefined);
  onTestFinished(() => client.stop());
  return client.fetchKeys;
}

function checking(options: Partial<typeof open> = {}): FetchKeys {
  const client = createKeyClient({ allowHttp: false, allowPrivate: false, ...options }, systemClock);
  onTestFinished(() => client.stop());
  return client.fetchKeys;
}

async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/jwks`;
}

describe('an issuer', () => {
  it('is sent a GET without anything but the URL, and its text is read', async () => {
    const requests: string[] = [];
    const uri = await serving((request, response) => {
      requests.push(`${request.method} ${request.url} ${Object.keys(request.headers).sort().join(' ')}`);
      response.end('{"keys":[]}');
    });
    expect(await trusting()(`${uri}?a=b`)).toEqual({ text: '{"keys":[]}', freshFor: undefined });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(/^GET \/jwks\?a=b /);
    expect(requests[0]).not.toMatch(/cookie|authorization|referer|origin/);
  });

  it.each([
    [{ 'cache-control': 'public, max-age=600' }, 600],
    [{ 'cache-control': 'max-age="600"', age: '100' }, 500],
    [{ 'cache-control': 'max-age=600', age: '1000' }, 0],
    [{ 'cache-control': 'no-cache, max-age=600' }, 0],
    [{ 'cache-control': 'no-store' }, 0],
    [{ 'cache-control': 's-maxage=600' }, undefined],
    [{ 'cache-control': 'max-age=forever' }, undefined],
    [{}, undefined],
  ])('with the headers %j has keys that are fresh for %s seconds', async (headers, freshFor) => {
    const uri = await serving((_, response) => response.writeHead(200, headers).end('{}'));
    expect(await trusting()(uri)).toEqual({ text: '{}', freshFor });
  });
});

describe('an answer that is no text of keys', () => {
  it.each<[string, RequestListener, RegExp]>([
    [
      'that redirects is not followed',
      (_, response) => response.writeHead(302, { location: '/x' }).end(),
      /status 302/,
    ],
    ['that has no keys is told of', (_, response) => response.writeHead(404).end('{}'), /status 404/],
    [
      'that sends without end is cut off',
      (_, response) => {
        response.on('drain', () => response.write('x'.repeat(65_536)));
        response.write('x'.repeat(65_536));
      },
      /more than 1048576 bytes/,
    ],
    [
      'that compresses what nobody asked to be compressed is refused',
      (_, response) => response.writeHead(200, { 'content-encoding': 'br' }).end('x'),
      /content coding "br"/,
    ],
    ['that hangs up is told of', (request) => request.socket.destroy(), /other side closed|ECONNRESET/],
  ])('%s', async (_what, answer, reason) => {
    await expect(trusting()(await serving(answer))).rejects.toThrow(reason);
  });

  it('that does not answer within five seconds is given up', async () => {
    const clock = createManualClock();
    const reached = Promise.withResolvers<void>();
    const uri = await serving(() => reached.resolve());
    const fetched = trusting(clock)(uri);
    await reached.promise;
    clock.advance(5_000);
    await expect(fetched).rejects.toThrow('no answer within 5000 ms');
  });

  it('that begins and never ends is given up as well', async () => {
    const clock = createManualClock();
    const { promise: begun, resolve } = Promise.withResolvers<unknown>();
    const uri = await serving((_, response) => void response.write('{"keys":[', resolve));
    const fetched = trusting(clock)(uri);
    const outcome = expect(fetched).rejects.toThrow('no answer within 5000 ms');
    await clock.armed();
    await begun;
    clock.advance(5_000);
    await outcome;
  });
});

describe('a URI', () => {
  it('of http needs a flag', async () => {
    await expect(checking()('http://issuer.example/jwks')).rejects.toThrow('--allow-http-jwks');
  });

  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0x7f.1',
    '2130706433',
    '169.254.169.254',
    '[fe80::1]',
    '0.0.0.0',
  ])('of %s is never requested, whatever the flags', async (host) => {
    await expect(checking(open)(`https://${host}/`)).rejects.toThrow(/is a (loopback|link-local|unspecified) address/);
  });

  it.each(['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '[fd00::1]', '[64:ff9b::a00:1]', '198.18.0.1'])(
    'of %s needs a flag',
    async (host) => {
      await expect(checking()(`https://${host}/`)).rejects.toThrow('--allow-private-jwks');
    },
  );

  it('whose name leads to this machine is refused when the name is looked up', async () => {
    await expect(checking(open)('https://localhost:8443/')).rejects.toThrow(
      /at (127.0.0.1|::1), which is a loopback address/,
    );
  });
});
