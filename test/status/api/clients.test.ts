import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectRequests } from '../../../src/status/api/object-request.ts';
import { type EventClient, eventClient, type NewEvent } from '../../../src/status/events/event-client.ts';
import { type LeaseClaim, type LeaseClient, leaseClient } from '../../../src/status/leader/lease-client.ts';
import { type StatusPatch, statusClient, type WriteStatus } from '../../../src/status/writer/status-client.ts';
import { type StatusApiServer, startStatusApiServer } from '../../support/api-server/status-api-server.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/system/leases/leader';
const gatewayPath = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/gw';
const signal = new AbortController().signal;

let api: StatusApiServer;
let clock: ManualClock;
let lease: LeaseClient;
let write: WriteStatus;
let events: EventClient;

beforeEach(async () => {
  api = await startStatusApiServer();
  clock = createManualClock();
  const request = objectRequests(api.connection, clock, 4_000);
  lease = leaseClient(request, { namespace: 'system', name: 'leader' });
  write = statusClient(request);
  events = eventClient(request, { controller: 'kgateway.dev/kgateway', instance: 'x'.repeat(200) });
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

function claim(holder: string, change: Partial<LeaseClaim> = {}): LeaseClaim {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 67);
  return { holder, transitions: 0, duration: 15, renewed: at, acquired: at, ...change };
}

describe('a Lease', () => {
  it('is gone before it is created, and is created with times of six digits', async () => {
    expect(await lease.read(signal)).toMatchObject({ kind: 'gone' });
    expect(await lease.create(claim('a'), signal)).toMatchObject({
      kind: 'lease',
      lease: { holder: 'a', transitions: 0, renewed: '2026-01-02T03:04:05.067000Z' },
    });
    expect(api.object(leasePath)).toMatchObject({
      metadata: { name: 'leader', namespace: 'system' },
      spec: {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        renewTime: '2026-01-02T03:04:05.067000Z',
        acquireTime: '2026-01-02T03:04:05.067000Z',
      },
    });
    expect(await lease.create(claim('b'), signal)).toMatchObject({ kind: 'conflict' });
  });

  it('is replaced only at the resource version that was read, and keeps fields of other clients', async () => {
    const made = { name: 'leader', annotations: { theirs: 'kept' }, creationTimestamp: '2026-01-01T00:00:00Z' };
    api.put(leasePath, { metadata: made, spec: { acquireTime: '2026-01-01T00:00:00.000000Z' } });
    const read = await lease.read(signal);
    if (read.kind !== 'lease') throw new Error('there is no Lease');
    const renewal = claim('a', { acquired: undefined });
    expect(await lease.replace(read.lease, renewal, signal)).toMatchObject({ kind: 'lease', lease: { holder: 'a' } });
    expect(api.object(leasePath)).toMatchObject({
      metadata: { annotations: { theirs: 'kept' } },
      spec: { acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-02T03:04:05.067000Z' },
    });
    expect(await lease.replace(read.lease, claim('b'), signal)).toMatchObject({
      kind: 'conflict',
      message: '409 the object has been modified',
    });
  });

  it.each([{}, { spec: null }, { spec: { holderIdentity: 4, leaseTransitions: 'x', renewTime: {} } }])(
    'without a valid record has no holder: %j',
    async (content) => {
      api.put(leasePath, content);
      expect(await lease.read(signal)).toMatchObject({
        kind: 'lease',
        lease: { holder: '', transitions: 0, renewed: '' },
      });
    },
  );
});

function gateway(resourceVersion: string): StatusPatch {
  const fields = { conditions: [{ type: 'Accepted' }], addresses: [] };
  return { kind: 'Gateway', key: 'default/gw', resourceVersion, fields };
}

describe('a status', () => {
  it('is patched at its subresource and resource version, and keeps its other fields', async () => {
    api.put(gatewayPath, { metadata: { generation: 4 }, status: { attachedListenerSets: 2, conditions: [1, 2, 3] } });
    expect(await write(gateway('1'), signal)).toEqual({
      kind: 'written',
      object: {
        uid: 'uid-1',
        resourceVersion: '2',
        generation: 4,
        status: { attachedListenerSets: 2, conditions: [{ type: 'Accepted' }], addresses: [] },
      },
    });
    expect(api.calls).toEqual([
      {
        method: 'PATCH',
        path: `${gatewayPath}/status`,
        query: '?fieldManager=gatehouse',
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion: '1' }, status: gateway('1').fields },
      },
    ]);
  });

  it.each([
    { kind: 'GatewayClass', key: 'mcp', path: '/apis/gateway.networking.k8s.io/v1/gatewayclasses/mcp/status' },
    {
      kind: 'MCPAuthPolicy',
      key: 'default/p',
      path: '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies/p/status',
    },
  ] as const)('of a $kind has its path', async ({ kind, key, path }) => {
    expect(await write({ ...gateway('1'), kind, key }, signal)).toMatchObject({ kind: 'gone' });
    expect(api.calls.map((call) => call.path)).toEqual([path]);
  });

  it('with an outdated resource version is a conflict', async () => {
    api.put(gatewayPath, {});
    api.put(gatewayPath, {});
    expect(await write(gateway('1'), signal)).toMatchObject({ kind: 'conflict' });
  });
});

describe('a failed write', () => {
  it.each([
    { status: 422, kind: 'refused' },
    { status: 400, kind: 'refused' },
    { status: 403, kind: 'failed' },
    { status: 500, kind: 'failed' },
    { status: 401, kind: 'unavailable' },
    { status: 429, kind: 'unavailable' },
    { status: 502, kind: 'unavailable' },
    { status: 503, kind: 'unavailable' },
    { status: 504, kind: 'unavailable' },
    { status: 404, kind: 'gone' },
    { status: 410, kind: 'gone' },
    { status: 409, kind: 'conflict' },
    { status: 302, kind: 'failed' },
  ] as const)('with status $status is $kind, with any body', async ({ status, kind }) => {
    api.put(gatewayPath, {});
    api.misbehave = () => ({ status, text: '<html>no</html>' });
    const answer = await write(gateway('1'), signal);
    expect(answer.kind).toBe(kind);
  });

  it('has the wait of Retry-After', async () => {
    api.misbehave = () => ({ status: 429, text: '{"message":"slow down"}', headers: { 'retry-after': '7' } });
    const answer = await write(gateway('1'), signal);
    expect(answer).toEqual({ kind: 'unavailable', message: '429 slow down', retryAfter: 7_000 });
  });

  it.each(['<html>', '[]', '"x"', '{}'])('is unavailable when the body of a success is %s', async (text) => {
    api.misbehave = () => ({ status: 200, text, headers: { 'content-type': 'application/json' } });
    expect(await write(gateway('1'), signal)).toMatchObject({ kind: 'unavailable' });
  });

  it('is unavailable after the timeout', async () => {
    api.misbehave = () => 'hang';
    const answer = write(gateway('1'), signal);
    await api.until(() => api.calls.length === 1);
    clock.advance(4_000);
    expect(await answer).toEqual({ kind: 'unavailable', message: 'no answer within 4 s', retryAfter: 0 });
    expect(clock.waiting()).toEqual([]);
  });

  it('is unavailable when its signal is aborted, and sends nothing afterwards', async () => {
    api.misbehave = () => 'hang';
    const term = new AbortController();
    const answer = write(gateway('1'), term.signal);
    await api.until(() => api.calls.length === 1);
    term.abort();
    expect(await answer).toMatchObject({ kind: 'unavailable' });
    expect(await write(gateway('1'), term.signal)).toMatchObject({ kind: 'unavailable' });
    expect(api.calls).toHaveLength(1);
  });

  it('has the reason when there is no server', async () => {
    await api[Symbol.asyncDispose]();
    const answer = await write(gateway('1'), signal);
    expect(answer).toMatchObject({ kind: 'unavailable', message: 'fetch failed' });
  });
});

describe('an Event', () => {
  const event: NewEvent = {
    eventName: 'gw.1a2b',
    kind: 'Gateway',
    namespace: 'default',
    name: 'gw',
    uid: 'a-uid',
    type: 'Warning',
    reason: 'ResponseRejected',
    action: 'Serve',
    note: 'no such field',
    at: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
  };
  const path = '/apis/events.k8s.io/v1/namespaces/default/events/gw.1a2b';

  it('is created in the namespace of its object, by this controller and replica', async () => {
    expect(await events.create(event, signal)).toEqual({ kind: 'written' });
    expect(api.object(path)).toMatchObject({
      eventTime: '2026-01-02T03:04:05.067000Z',
      reportingController: 'kgateway.dev/kgateway',
      reportingInstance: 'x'.repeat(128),
      regarding: {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        namespace: 'default',
        name: 'gw',
        uid: 'a-uid',
      },
      type: 'Warning',
      reason: 'ResponseRejected',
      action: 'Serve',
      note: 'no such field',
    });
  });

  it('is counted by its series', async () => {
    await events.create(event, signal);
    const count = { eventName: 'gw.1a2b', namespace: 'default', count: 3, lastObserved: event.at + 1_000 };
    expect(await events.count(count, signal)).toEqual({ kind: 'written' });
    expect(api.object(path)).toMatchObject({
      note: 'no such field',
      series: { count: 3, lastObservedTime: '2026-01-02T03:04:06.067000Z' },
    });
    expect(await events.count({ ...count, eventName: 'gone' }, signal)).toMatchObject({ kind: 'gone' });
  });
});
