import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stop } from '../../../src/edges.ts';
import { nodeOf } from '../../../src/gateway/xds/node.ts';
import { createXdsClient, type XdsClient } from '../../../src/gateway/xds/xds.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { type ScriptedAds, type ScriptedStream, startScriptedAds } from '../../support/nodes/scripted-ads.ts';
import { config, configType, target, targetType } from './resources.ts';

let ads: ScriptedAds;
let clock: ManualClock;
let log: RecordedLog;
let client: XdsClient;
let stop: Stop;
beforeEach(async () => {
  ads = await startScriptedAds();
  clock = createManualClock();
  log = createRecordedLog();
  client = clientOf(ads.port);
  stop = client.start();
});
afterEach(() => {
  stop();
  ads.stop();
});

function clientOf(port: number): XdsClient {
  return createXdsClient({
    controlPlane: {
      authority: { host: 'kgateway', port: 9977 },
      address: { host: '127.0.0.1', port },
      security: { tls: undefined, token: undefined },
    },
    node: nodeOf(
      { metadata: new Map([['team', 'a']]), altXdsHostname: 'mcp-gateway.default.svc.cluster.local' },
      {
        POD_NAME: 'pod-1',
        POD_NAMESPACE: 'default',
        NODE_NAME: 'node-1',
        GW_NAME: 'mcp-gateway',
        INSTANCE_IP: '10.1.2.3',
      },
      Math.random,
    ),
    clock,
    random: () => 0.5,
    log,
  });
}

const lines = (level: string): readonly string[] =>
  log.lines.filter((line) => line.level === level).map(({ message }) => message);

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

async function opened(): Promise<ScriptedStream> {
  const stream = await ads.stream();
  await stream.request();
  await stream.request();
  return stream;
}

/** Waits until the client has seen the end of its stream, and runs its reconnect timer. */
async function retry(): Promise<number> {
  await clock.armed();
  return clock.next();
}

describe('a new stream', () => {
  it('subscribes to all Targets, then to all Configs, and identifies the node', async () => {
    const stream = await ads.stream();
    expect(stream.authority).toBe('kgateway:9977');
    const first = await stream.request();
    expect(first).toMatchObject({ typeUrl: targetType, responseNonce: '', initialResourceVersions: {} });
    expect(first.node).toMatchObject({
      id: 'mcpgw~10.1.2.3~pod-1.default~default.svc.cluster.local',
      metadata: {
        NAME: 'pod-1',
        NAMESPACE: 'default',
        INSTANCE_IPS: '10.1.2.3',
        NODE_NAME: 'node-1',
        role: 'mcp-kgateway-kube-gateway-api~default~mcp-gateway',
        alt_xds_hostname: 'mcp-gateway.default.svc.cluster.local',
        team: 'a',
      },
    });
    const second = await stream.request();
    expect(second).toEqual({ ...first, typeUrl: configType });
    expect([first, second].map((it) => [it.resourceNamesSubscribe, it.resourceNamesUnsubscribe])).toEqual([
      [[], []],
      [[], []],
    ]);
  });

  it('gets an ACK with its nonce for each response', async () => {
    const stream = await opened();
    stream.send({ typeUrl: targetType, nonce: 'a', systemVersionInfo: 'v1', resources: [target('a/x')] });
    expect(await stream.request()).toMatchObject({
      typeUrl: targetType,
      responseNonce: 'a',
      errorDetail: undefined,
      node: undefined,
    });
    stream.send({ typeUrl: configType, nonce: 'b', systemVersionInfo: 'v2' });
    expect(await stream.request()).toMatchObject({ typeUrl: configType, responseNonce: 'b', errorDetail: undefined });
    expect(log.lines.map(({ message, fields }) => [message, fields['version']])).toEqual([
      ['connected to the control plane', undefined],
      ['acknowledged Target', 'v1'],
      ['acknowledged Config', 'v2'],
    ]);
    expect(client.status()).toEqual({
      address: 'kgateway:9977',
      node: 'mcpgw~10.1.2.3~pod-1.default~default.svc.cluster.local',
      connection: { state: 'connected', since: timeOf(clock.now()) },
      kinds: [
        { kind: 'Target', held: 1, ackedNonce: 'a', ackedVersion: 'v1', nack: null },
        { kind: 'Config', held: 0, ackedNonce: 'b', ackedVersion: 'v2', nack: null },
      ],
      lastGood: null,
    });
  });

  it('gets a NACK that names the rejected resources, and the others are in force', async () => {
    const stream = await opened();
    stream.send({ typeUrl: configType, nonce: 'a', resources: [config('a.p', []), config('a.q')] });
    expect(await stream.request()).toMatchObject({
      typeUrl: configType,
      responseNonce: 'a',
      errorDetail: { message: 'a.p: it has no rules, which other gateways read as allowing everything' },
    });
    expect([...client.config.rbacConfigs.keys()]).toEqual(['a.q']);
  });

  it('gets no ACK for an unknown type, since that would be a subscription', async () => {
    const stream = await opened();
    stream.send({ typeUrl: 'type.googleapis.com/other', nonce: 'x' });
    stream.send({ typeUrl: targetType, nonce: 'a' });
    expect(await stream.request()).toMatchObject({ typeUrl: targetType, responseNonce: 'a' });
    expect(lines('warn')).toEqual(['the control plane sent a kind of resource that was not asked for']);
  });
});

describe('a control plane that disconnects', () => {
  it('leaves everything in force, and gets the initial resource versions after the reconnect', async () => {
    const stream = await opened();
    stream.send({
      typeUrl: targetType,
      nonce: 'a',
      resources: [target('a/x', {}, 'x1'), target('a/y', { port: 0 }, 'y1')],
    });
    await stream.request();
    stream.send({ typeUrl: configType, nonce: 'b', resources: [config('a.p', [{}], 'p1')] });
    await stream.request();
    const { port } = ads;
    ads.stop();
    await clock.armed();
    expect([...client.config.targets.keys(), ...client.config.rbacConfigs.keys()]).toEqual(['a/x', 'a.p']);

    ads = await startScriptedAds(port);
    clock.next();
    const again = await ads.stream();
    expect(await again.request()).toMatchObject({ typeUrl: targetType, initialResourceVersions: { 'a/x': 'x1' } });
    expect(await again.request()).toMatchObject({ typeUrl: configType, initialResourceVersions: { 'a.p': 'p1' } });
    again.send({ typeUrl: configType, nonce: 'c', removedResources: ['a.p'] });
    await again.request();
    expect(client.config.rbacConfigs.size).toBe(0);
  });

  it('is reconnected to after 20 ms, then after twice as long each time, up to 5 s', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      (await ads.stream()).fail(status.UNAVAILABLE, 'not synced');
      waits.push(await retry());
    }
    expect(waits).toEqual(
      [20, 40, 80, 160, 320, 640, 1280, 2560, 5_000, 5_000, 5_000, 5_000].map((whole) => whole * 0.75),
    );
    expect(client.status().connection).toMatchObject({ state: 'connecting' });
  });

  it('resets the backoff after a stream that lasted, but not after one that ended at once', async () => {
    const answered = async (lived: number): Promise<number> => {
      const stream = await opened();
      stream.send({ typeUrl: targetType });
      await stream.request();
      clock.advance(lived);
      stream.end();
      return retry();
    };
    expect([
      await answered(0),
      await answered(999),
      await answered(0),
      await answered(1000),
      await answered(0),
    ]).toEqual([15, 30, 60, 15, 30]);
    expect(lines('warn')[0]).toContain('the control plane ended the stream');
  });
});

describe('a control plane that cannot be reached', () => {
  it('is logged once, then once a minute, and again when the reason changes', async () => {
    const away = async (details: string): Promise<void> => {
      (await ads.stream()).fail(status.UNAVAILABLE, details);
      await retry();
    };
    for (let i = 0; i < 11; i += 1) await away('not synced');
    await away('going down');
    expect(lines('warn')).toEqual([
      'no connection to the control plane at kgateway:9977: UNAVAILABLE: not synced; without it nothing is allowed, trying again',
      'no connection to the control plane at kgateway:9977: UNAVAILABLE: going down; without it nothing is allowed, trying again',
    ]);
    for (let i = 0; i < 18; i += 1) await away('going down');
    expect(lines('warn')).toHaveLength(3);
    expect(lines('info')).toEqual([]);
  });

  it('is logged the same way when it was never reached', async () => {
    const { port } = ads;
    ads.stop();
    await retry();
    await retry();
    expect(lines('warn')).toHaveLength(1);
    ads = await startScriptedAds(port);
    await retry();
    (await opened()).send({ typeUrl: targetType });
    await log.line('acknowledged Target');
    expect(lines('info')).toEqual(['connected to the control plane', 'acknowledged Target']);
  });
});

describe('stopping', () => {
  it('ends the stream and does not reconnect', async () => {
    await opened();
    stop();
    stop();
    expect(client.status().connection).toEqual({ state: 'stopped' });
    expect(clock.waiting()).toEqual([]);
  });

  it('while waiting cancels the timer', async () => {
    (await ads.stream()).fail(status.UNAVAILABLE, 'away');
    await clock.armed();
    expect(client.status().connection).toEqual({
      state: 'waiting',
      why: 'UNAVAILABLE: away',
      retryAt: timeOf(clock.now() + 15),
    });
    stop();
    expect(clock.waiting()).toEqual([]);
  });
});

it('a node without environment has no metadata but that of the configuration', () => {
  const node = nodeOf(
    { metadata: new Map([['role', 'ns~gw']]), altXdsHostname: undefined },
    { POD_NAMESPACE: '', GW_NAME: 'x' },
    () => 0.5,
  );
  expect(node).toMatchObject({
    id: 'mcpgw~unknown~local-nnnnnnnn.unknown~unknown.svc.cluster.local',
    metadata: { role: 'ns~gw' },
  });
});
