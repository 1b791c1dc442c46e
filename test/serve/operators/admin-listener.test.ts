import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ClientStatusDiscoveryServiceClient } from '../../../src/gen/envoy/service/status/v3/csds.ts';
import { HealthClient } from '../../../src/gen/grpc/health/v1/health.ts';
import type { GuardRefusal, RequestGuard } from '../../../src/net/guard/request-guard.ts';
import { ServerCertificate } from '../../../src/net/tls/server-certificate.ts';
import { Health } from '../../../src/serve/operators/health.ts';
import { type RunningAdmin, startAdmin } from '../../../src/serve/serve.ts';
import { openingFrames, preface } from '../../bench/hostile/serve/raw-http2.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { descriptorSet } from '../../support/nodes/operator.ts';
import { unaryRequestCallsParts } from '../../support/nodes/unary-calls.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let clock: ManualClock;
let counters: RecordedCounters;
let log: RecordedLog;
let health: Health;

beforeEach(() => {
  clock = createManualClock();
  counters = createRecordedCounters();
  log = createRecordedLog();
  health = new Health(() => true, unaryRequestCallsParts());
});

afterEach(() => health.stop());

const start = async (host: string): Promise<RunningAdmin> =>
  startAdmin(
    { host, port: 0 },
    { health, clients: () => [], descriptorSet: await descriptorSet, clock, counters, log, security: undefined },
  );

describe('the admin listener', () => {
  it.each([
    ['127.0.0.1', 0],
    ['localhost', 0],
    ['0.0.0.0', 1],
  ])('on %s logs this many warnings: %i', async (host, warnings) => {
    const admin = await start(host);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(warnings);
    await admin.stop();
  });
});

describe('connections without a call', () => {
  let admin: RunningAdmin;
  beforeEach(async () => {
    admin = await start('127.0.0.1');
    return () => admin.stop();
  });

  const open = async (sent: string): Promise<Socket> => {
    const socket = connect(admin.address.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {}).resume();
    await once(socket, 'connect');
    socket.write(sent);
    return socket;
  };
  const client = (): HealthClient => {
    // A connection of its own.
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    const opened = new HealthClient(`127.0.0.1:${admin.address.port}`, credentials.createInsecure(), options);
    onTestFinished(() => opened.close());
    return opened;
  };
  const check = (asking: HealthClient): Promise<number | undefined> =>
    new Promise((resolve) => asking.check({ service: '' }, (error) => resolve(error?.code)));

  it('give way to those of honest clients, and a connection with a call stays', async () => {
    const early = client();
    expect(await check(early)).toBeUndefined();
    for (let opened = 0; opened < 1_000; opened += 100) {
      await Promise.all(Array.from({ length: 100 }, () => open('')));
    }
    // Those beyond the rate of their address wait for it.
    await log.line('new connections wait');
    clock.advance(2_000);
    expect(await check(client())).toBeUndefined();
    expect(await check(early)).toBeUndefined();
    expect(counters.total('gatehouse_http_connections_lost_total', { listener: 'admin' })).toBeGreaterThanOrEqual(250);
    expect(counters.total('gatehouse_http_connections_delayed_total', { listener: 'admin' })).toBeGreaterThan(0);
    const reasons = log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['because']);
    expect(reasons.sort()).toEqual(['too many connections', 'too many new connections']);
  });

  it('are closed after five seconds, and those with a call are not', async () => {
    const honest = client();
    expect(await check(honest)).toBeUndefined();
    const silent = await open('');
    expect(await check(client())).toBeUndefined();
    const closed = once(silent, 'close');
    clock.advance(5_000);
    await closed;
    expect(counters.total('gatehouse_http_connections_lost_total')).toBe(1);
    expect(await check(honest)).toBeUndefined();
  });
});

describe('calls that stay open', () => {
  it('are a thousand at most, three quarters of one address, and keep no probe out', async () => {
    const admin = await start('127.0.0.1');
    onTestFinished(() => admin.stop());
    const codes: unknown[] = [];
    for (let opened = 0; opened < 760; opened += 8) {
      const session = connectHttp2(`http://127.0.0.1:${admin.address.port}`);
      onTestFinished(() => session.destroy());
      session.on('error', () => {});
      for (let call = 0; call < 8; call += 1) {
        const headers = { ':method': 'POST', ':path': streamClientStatus, 'content-type': 'application/grpc' };
        const stream = session.request(headers);
        stream.on('error', () => {}).on('response', (answer) => codes.push(answer['grpc-status']));
      }
      await once(session, 'remoteSettings');
      // Seven calls at the rate of an address.
      clock.advance(350);
    }
    while (!codes.includes(String(status.RESOURCE_EXHAUSTED))) await new Promise(setImmediate);
    expect(log.lines.filter(({ message }) => message === 'calls are refused')).toHaveLength(1);
    const probe = new HealthClient(`127.0.0.1:${admin.address.port}`, credentials.createInsecure());
    onTestFinished(() => probe.close());
    const checked = await new Promise((resolve) => probe.check({ service: '' }, (error) => resolve(error?.code)));
    expect(checked).toBeUndefined();
  });
});

describe('a call that its client does not end', () => {
  it.each([
    ['after it was refused', streamClientStatus, badRequest, 5_000, '13'],
    [
      'after too long a request',
      fetchClientStatus,
      Buffer.concat([Buffer.from([0, 0, 2, 0, 0]), badRequest]),
      5_000,
      '8',
    ],
    ['and of which half a request has arrived', fetchClientStatus, badRequest, 60_000, undefined],
  ])('%s is reset', async (_, path, request, milliseconds, code) => {
    const admin = await start('127.0.0.1');
    onTestFinished(() => admin.stop());
    const session = connectHttp2(`http://127.0.0.1:${admin.address.port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('error', () => {}).resume();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.write(request);
    if (code === undefined) await new Promise((resolve) => session.ping(resolve));
    else expect((await once(stream, 'response'))[0]).toMatchObject({ 'grpc-status': code });
    await clock.armed();
    clock.advance(milliseconds - 1);
    await new Promise((resolve) => session.ping(resolve));
    expect(stream.closed).toBe(false);
    clock.advance(1);
    await closed;
  });
});

describe('the first bytes of a connection', () => {
  /** Connects, sends these, and returns the bytes that have come. */
  const open = async (port: number, words: Buffer): Promise<{ readonly socket: Socket; bytes: number }> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const opened = { socket, bytes: 0 };
    socket.on('data', (chunk: Buffer) => {
      opened.bytes += chunk.length;
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(words);
    return opened;
  };
  const calls = (count: number): Buffer =>
    Buffer.concat([preface, ...Array.from({ length: count }, (_, index) => openingFrames(2 * index + 1, '/a.b/C'))]);

  it('are waited for before HTTP/2 begins', async () => {
    const admin = await start('127.0.0.1');
    onTestFinished(() => admin.stop());
    const silent = await open(admin.address.port, Buffer.alloc(0));
    const other = await open(admin.address.port, calls(1));
    await once(other.socket, 'data');
    expect(silent.bytes).toBe(0);
    silent.socket.write(calls(1));
    await once(silent.socket, 'data');
  });

  it('that open more calls than an address may make begin no HTTP/2', async () => {
    const admin = await start('127.0.0.1');
    onTestFinished(() => admin.stop());
    const flood = await open(admin.address.port, calls(250));
    // By a reset, with which `once` would reject.
    await new Promise((resolve) => flood.socket.once('close', resolve));
    expect(flood.bytes).toBe(0);
    expect(counters.total('gatehouse_http_connections_lost_total', { reason: 'flooded' })).toBe(1);
    expect(log.lines.map(({ message }) => message)).toContain('connections are closed because of their many calls');
    const probe = await open(admin.address.port, calls(1));
    await once(probe.socket, 'data');
  });

  it('have a time', async () => {
    const admin = await start('127.0.0.1');
    onTestFinished(() => admin.stop());
    const slow = await open(admin.address.port, preface.subarray(0, 10));
    const other = await open(admin.address.port, calls(1));
    await once(other.socket, 'data');
    const closed = once(slow.socket, 'close');
    clock.advance(5_000);
    await closed;
    expect(slow.bytes).toBe(0);
  });
});

const badRequest = Buffer.from([0, 0, 0, 0, 3, 255, 255, 255]);
const fetchClientStatus = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';
const streamClientStatus = '/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus';

/** Starts a guarded listener, and returns its port and what its clients trust. */
async function startGuarded(guard: RequestGuard): Promise<{ readonly port: number; readonly ca: string }> {
  const authority = createAuthority('operators');
  const { cert, key } = authority.issue();
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  const certificate = await ServerCertificate.open(files, { clock, log, counters, minVersion: 'TLSv1.3' });
  const parts = { health, clients: () => [], descriptorSet: await descriptorSet, clock, counters, log };
  const admin = await startAdmin({ host: '0.0.0.0', port: 0 }, { ...parts, security: { certificate, guard } });
  onTestFinished(async () => {
    certificate.stop();
    await admin.stop();
  });
  return { port: admin.address.port, ca: authority.cert };
}

describe('a guarded admin listener', () => {
  it('closes a connection with more calls than anybody makes, and answers a probe of the same address', async () => {
    let asked = 0;
    const { port, ca } = await startGuarded(async () => {
      asked += 1;
      return { status: 401, message: 'a token is required' };
    });
    const flood = connectHttp2(`https://localhost:${port}`, { ca });
    const closed = once(flood, 'close');
    flood.on('error', () => {});
    for (let call = 0; call < 1_000; call += 1) {
      const stream = flood.request({ ':method': 'POST', ':path': '/a.b/C', 'content-type': 'application/grpc' });
      stream
        .on('error', () => {})
        .resume()
        .end();
    }
    await closed;
    expect(asked).toBe(1 + 200);
    expect(counters.total('gatehouse_http_connections_lost_total', { reason: 'flooded' })).toBe(1);
    expect(log.lines.map(({ message }) => message)).toContain('connections are closed because of their many calls');
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    const probe = new HealthClient(`localhost:${port}`, credentials.createSsl(Buffer.from(ca)), options);
    onTestFinished(() => probe.close());
    const checked = await new Promise((resolve) => probe.check({ service: '' }, (error) => resolve(error?.code)));
    expect(checked).toBeUndefined();
  });

  it('ends a stream of CSDS whose right is taken back, and not one while nobody can be asked', async () => {
    let refusal: GuardRefusal | undefined;
    const { port, ca } = await startGuarded(async () => refusal);
    const trusted = credentials.createSsl(Buffer.from(ca));
    const client = new ClientStatusDiscoveryServiceClient(`localhost:${port}`, trusted);
    onTestFinished(() => client.close());
    const stream = client.streamClientStatus();
    const ended = once(stream, 'error');
    stream.write({ nodeMatchers: [], node: undefined, excludeResourceContents: true });
    await once(stream, 'data');
    for (const undecided of [undefined, { status: 503, message: 'nobody can be asked' } as const]) {
      refusal = undecided;
      clock.advance(30_000);
      stream.write({ nodeMatchers: [], node: undefined, excludeResourceContents: true });
      await once(stream, 'data');
    }
    refusal = { status: 403, message: 'not any more' };
    clock.advance(30_000);
    const [error] = await ended;
    expect(error).toMatchObject({ code: status.CANCELLED });
  });
});
