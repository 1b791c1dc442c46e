import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Client, credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { HealthService } from '../../../src/gen/grpc/health/v1/health.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { createRawConnection } from '../../support/nodes/raw-stream.ts';
import { type AuthWorld, fateOf, startAuthWorld } from '../../support/worlds/auth-world.ts';
import { configType } from '../../support/worlds/hand-made-world.ts';

const role = (gateway: string): Readonly<Record<string, unknown>> => ({ role: gateway.replace('/', '~') });
const accounts = { 'red/gw': ['gw'], 'red/two': ['double'], 'red/three': ['double'] };
const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

type Stream = ReturnType<ReturnType<AuthWorld['world']['client']>['open']>;

/** Node's client sends one value of the header otherwise; its types know the option for servers only. */
const loose = { strictSingleValueFields: false, maxSessionMemory: 10 };

/** The status of a stream with several values of the header `authorization`, which no gRPC library sends. */
async function statusWith(session: ClientHttp2Session, values: readonly string[]): Promise<unknown> {
  const head = [':method', 'POST', ':path', ads.deltaAggregatedResources.path, ':scheme', 'http', ':authority', 'x'];
  const stream = session.request([...head, ...values.flatMap((value) => ['authorization', value])]);
  const [headers] = await once(stream, 'response');
  return headers['grpc-status'];
}

/** A stream with a token, whose Config was served. */
async function followingWithToken(served: AuthWorld, gateway: string, account: string, claims = {}): Promise<Stream> {
  const stream = served.world.stream({ headers: bearer(await served.token(account, claims)) });
  stream.request(configType, { node: { metadata: role(gateway) } });
  await stream.accept();
  return stream;
}

async function followingWithCertificate(served: AuthWorld, uri: string, until?: Date): Promise<Stream> {
  const wishes = { names: [], uris: [uri], usage: 'clientAuth', ...(until && { until }) } as const;
  const channel = served.channel(served.clients.issue(wishes));
  const stream = served.world.stream({}, channel).request(configType, { node: { metadata: role('red/gw') } });
  await stream.accept();
  return stream;
}

describe('a stream', () => {
  it('ends UNAUTHENTICATED when its token expires', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const exp = Math.floor(served.world.clock.now() / 1_000) + 20;
    const stream = await followingWithToken(served, 'red/gw', 'red/gw', { exp });
    await stream.silence();
    served.world.clock.advance(20_000);
    expect(await stream.ended()).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('expired'),
    });
  });

  it('ends PERMISSION_DENIED when the annotation names its account no more, and nothing is sent before', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const stream = await followingWithToken(served, 'red/gw', 'red/gw');
    await stream.silence();
    served.accounts.set('red/gw', ['other']);
    served.world.commit((edit) => edit.config('red/gw', 'secret'));
    served.world.server.recheck(['red/gw']);
    await expect(stream.next()).rejects.toThrow(/PERMISSION_DENIED .*red\/gw may not be a node of Gateway red\/gw/);
  });

  it('is looked at for the changes of its own Gateway alone', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const stream = await followingWithToken(served, 'red/gw', 'red/gw');
    served.accounts.set('red/gw', ['other']);
    served.world.server.recheck(['red/two', 'red/three', 'red/none']);
    await stream.silence();
    served.world.server.recheck(['red/two', 'red/gw']);
    expect(await stream.ended()).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('ends when its right cannot be told, and the others are asked', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const broken = await followingWithToken(served, 'red/gw', 'red/gw');
    const other = await followingWithToken(served, 'red/two', 'red/double');
    served.accounts.set('red/two', ['other']);
    vi.spyOn(served.accounts, 'get').mockImplementationOnce(() => {
      throw new Error('on purpose');
    });
    served.world.server.recheck(['red/gw', 'red/two']);
    expect(await broken.ended()).toMatchObject({ code: 'INTERNAL' });
    expect(await other.ended()).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('goes on while its Gateway is gone, and ends when another account gets it', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const stream = await followingWithToken(served, 'red/gw', 'red/gw');
    served.accounts.delete('red/gw');
    served.world.server.recheck(['red/gw']);
    await stream.silence();
    served.accounts.set('red/gw', ['other']);
    served.world.server.recheck(['red/gw']);
    expect(await stream.ended()).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('ends UNAUTHENTICATED when the authority of its certificate is taken out, and others go on', async () => {
    const served = await startAuthWorld({ ways: ['token', 'mtls'], accounts });
    const stream = await followingWithCertificate(served, 'spiffe://cluster.local/ns/red/sa/gw');
    const other = await followingWithToken(served, 'red/gw', 'red/gw');
    const next = createAuthority('next');
    await served.trust(served.clients, next);
    await stream.silence();
    await served.trust(next);
    expect(await stream.ended()).toMatchObject({ code: 'UNAUTHENTICATED' });
    await other.silence();
  });
});

it('a stream ends UNAUTHENTICATED when the key of its token is withdrawn, and no other one begins with the token', async () => {
  const served = await startAuthWorld({ ways: ['token'], accounts });
  const token = bearer(await served.token('red/gw', { exp: 4_000_000_000 }));
  const open = (): Stream => {
    const stream = served.world.stream({ headers: token });
    return stream.request(configType, { node: { metadata: role('red/gw') } });
  };
  const stream = open();
  await stream.accept();
  await stream.silence();
  served.withdrawKey();
  expect(await open().ended()).toMatchObject({ code: 'UNAUTHENTICATED' });
  served.world.clock.advance(30_000);
  expect(await stream.ended()).toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('the key of the token is not accepted any more'),
  });
});

describe('a stream of a client certificate', () => {
  it('ends UNAUTHENTICATED when the certificate expires', async () => {
    const served = await startAuthWorld({ ways: ['mtls'], accounts });
    const { clock } = served.world;
    // OpenSSL compares it with the time of the machine, and later the server with its own clock.
    const until = new Date(systemClock.now() + 86_400_000);
    const stream = await followingWithCertificate(served, 'spiffe://cluster.local/ns/red/sa/gw', until);
    await stream.silence();
    clock.jump(until.getTime() - clock.now() - 1_000);
    clock.advance(30_000);
    expect(await stream.ended()).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('expired'),
    });
  });
});

describe('a clock that jumps', () => {
  it('forward ends the streams whose token has expired meanwhile', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const stream = await followingWithToken(served, 'red/gw', 'red/gw');
    await stream.silence();
    served.world.clock.jump(7_200_000);
    served.world.clock.advance(30_000);
    expect(await stream.ended()).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('a clock that is set back', () => {
  it('keeps no stream beyond the time that its token had left', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const exp = Math.floor(served.world.clock.now() / 1_000) + 20;
    const stream = await followingWithToken(served, 'red/gw', 'red/gw', { exp });
    await stream.silence();
    served.world.clock.jump(-7_200_000);
    served.world.clock.advance(19_000);
    await stream.silence();
    served.world.clock.advance(1_000);
    expect(await stream.ended()).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('a client that is gone while its token is verified', () => {
  it.each(['invalid', 'unavailable'] as const)('ends nothing but its own stream: the token is %s', async (kind) => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const served = await startAuthWorld({
      ways: ['token'],
      accounts,
      verify: async () => {
        asked.resolve();
        await answer.promise;
        return { kind, message: 'whatever' };
      },
    });
    const connection = createRawConnection(served.world.address);
    const streams = Array.from({ length: 5 }, () => connection.open());
    const token = await served.token('red/gw');
    streams.push(...Array.from({ length: 5 }, () => connection.open(bearer(token))));
    await asked.promise;
    connection.close();
    await Promise.all(streams.map(({ closed }) => closed));
    answer.resolve();
    expect(await fateOf(served.world.client(), { headers: bearer(token), node: role('red/gw') })).toMatchObject({
      code: kind === 'invalid' ? 'UNAUTHENTICATED' : 'UNAVAILABLE',
    });
  });
});

describe('two authorization headers', () => {
  it('prove nothing, in either order', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const own = `Bearer ${await served.token('red/gw')}`;
    const other = `Bearer ${await served.token('red/double')}`;
    const session = connect(`http://${served.world.address}`, loose);
    const pairs = [
      [own, other],
      [other, own],
      [own, own],
    ];
    const statuses = await Promise.all(pairs.map((pair) => statusWith(session, pair)));
    session.destroy();
    expect(statuses).toEqual(pairs.map(() => String(status.UNAUTHENTICATED)));
  });
});

describe('a node that names no Gateway', () => {
  it('gets the one that its identity may claim, and none when there are two', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const client = served.world.client();
    const fate = async (account: string): Promise<object> =>
      fateOf(client, { headers: bearer(await served.token(account)) });
    expect(await fate('red/gw')).toEqual({ served: ['default.red-gw'] });
    expect(await fate('red/double')).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('several'),
    });
    expect(await fate('red/nobody')).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringMatching(
        /red\/nobody may be a node of no Gateway; the annotation kgateway\.dev\/service-account/,
      ),
    });
  });
});

describe('a denied claim', () => {
  it.each(['red/two', 'blue/gw', 'red/absent'])('names the account, Gateway %s and the annotation', async (gateway) => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const headers = bearer(await served.token('red/gw'));
    const { message } = (await fateOf(served.world.client(), { headers, node: role(gateway) })) as {
      readonly message: string;
    };
    expect(message).toContain(`ServiceAccount red/gw may not be a node of Gateway ${gateway}: `);
    expect(message).toContain('the annotation kgateway.dev/service-account of the Gateway names its accounts');
  });

  it('is counted each time, reported, and logged once a minute for each identity', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const { world, denied } = served;
    const client = world.client();
    const headers = bearer(await served.token('red/other'));
    for (let left = 3; left > 0; left -= 1) await fateOf(client, { headers, node: role('red/gw') });
    const lines = (): number => world.log.lines.filter(({ message }) => message.includes('not its own')).length;
    expect({ counted: world.counters.total('gatehouse_xds_denied_claims_total'), lines: lines() }).toEqual({
      counted: 3,
      lines: 1,
    });
    expect(denied[0]).toMatchObject({ account: 'red/other', gateway: 'red/gw' });
    world.clock.advance(60_000);
    await fateOf(client, { headers, node: role('red/gw') });
    expect(lines()).toBe(2);
  });
});

describe('a bad credential', () => {
  it.each([
    ['no token', {}, 'a node of this server shows a token of its ServiceAccount for the audience gatehouse'],
    ['an empty token', { authorization: 'Bearer' }, 'is the file of the token empty?'],
    ['another scheme', { authorization: 'Basic cmVkOmd3' }, 'is not "Bearer <token>" on one line'],
    ['something else', { authorization: 'Bearer abc' }, 'the token is no JSON Web Token'],
    ['too long', { authorization: `Bearer ${'a'.repeat(9_000)}` }, 'the token has more than 8192 characters'],
  ])('is refused in words: %s', async (_, headers, message) => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    expect(await fateOf(served.world.client(), { headers, node: role('red/gw') })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [60_000, 'NGHTTP2_ENHANCE_YOUR_CALM'],
    [1 << 20, 'Session closed with error code'],
  ])('of %i bytes is refused before it is looked at', async (size, message) => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    // A client of HTTP/2 that sends what the server has said that it does not take.
    const session = connect(`http://${served.world.address}`, { maxSendHeaderBlockLength: 8 << 20 });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    await once(session, 'remoteSettings');
    const stream = session.request({
      ':method': 'POST',
      ':path': '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...bearer('a'.repeat(size)),
    });
    const [error] = await once(stream, 'error');
    expect(String(error)).toContain(message);
    // It has ended the whole connection: without a word to the client, so the log has one.
    if (size >= 1 << 20) await served.world.log.line('headers of far more than 16384 bytes');
    expect(served.world.counters.total('gatehouse_xds_requests_total')).toBe(0);
    expect(served.world.log.text()).not.toContain('aaaa');
  });

  it('appears in no log', async () => {
    const served = await startAuthWorld({ ways: ['token'], accounts });
    const token = await served.token('red/other');
    await fateOf(served.world.client(), { headers: bearer(token), node: role('red/gw') });
    await fateOf(served.world.client(), { headers: bearer(`${token}x`), node: role('red/gw') });
    expect(served.world.log.text()).not.toContain(token.slice(-40));
  });
});

it('health is for everybody', async () => {
  const served = await startAuthWorld({ ways: ['token'], accounts });
  const client = new Client(served.world.address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  const answer = await new Promise((resolve) =>
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error, value) =>
      resolve(error ?? value),
    ),
  );
  client.close();
  expect(answer).toMatchObject({ status: 1 });
});

it('while nothing can be verified, a node that is not known gets UNAVAILABLE', async () => {
  const verify = async (): Promise<{ readonly kind: 'unavailable'; readonly message: string }> => ({
    kind: 'unavailable',
    message: 'the API server is away',
  });
  const served = await startAuthWorld({ ways: ['token'], accounts, verify });
  const headers = bearer(await served.token('red/gw'));
  expect(await fateOf(served.world.client(), { headers, node: role('red/gw') })).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('the API server is away'),
  });
});
