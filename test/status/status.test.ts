import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StopAsync } from '../../src/edges.ts';
import { type StatusApiServer, startStatusApiServer } from '../support/api-server/status-api-server.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import type { Manifest } from '../support/worlds/translated-world.ts';
import { ancestor } from './conditions/stored-statuses.ts';
import { createManagerRig, eventsPath, leasePath, type ManagerRig, pathOf, statusOf, store } from './status-rig.ts';

const metadata = (name: string) => ({ namespace: 'default', name, generation: 1 });

const mcpClass: Manifest = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'mcp', generation: 1 },
  spec: { controllerName: 'kgateway.dev/kgateway' },
};
const gateway: Manifest = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: metadata('gw'),
  spec: { gatewayClassName: 'mcp', listeners: [{ name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' }] },
};
const policy: Manifest = {
  apiVersion: 'gateway.kgateway.dev/v1alpha1',
  kind: 'MCPAuthPolicy',
  metadata: metadata('policy'),
  spec: { targetRefs: [{ name: 'gw' }], rules: [] },
};
const badService: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...metadata('tools'), annotations: { 'kgateway.dev/mcp-path': 'no slash' } },
  spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] },
};

let api: StatusApiServer;
let clock: ManualClock;
let stops: StopAsync[];

beforeEach(async () => {
  api = await startStatusApiServer();
  clock = createManualClock();
  stops = [];
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await api[Symbol.asyncDispose]();
});

/** A replica that has read the initial state and takes part in the election. */
function replica(name: string, ...manifests: readonly Manifest[]): ManagerRig & { readonly stop: StopAsync } {
  const rig = createManagerRig(api, clock, name);
  const stop = rig.manager.start();
  stops.push(stop);
  rig.apply(...manifests);
  rig.manager.synced();
  return { ...rig, stop };
}

const writes = (): readonly string[] => api.calls.filter(({ method }) => method === 'PATCH').map(({ path }) => path);
const events = (): readonly unknown[] => api.calls.filter(({ path }) => path === eventsPath).map(({ body }) => body);
const holder = (): unknown => Object(api.object(leasePath)?.['spec']).holderIdentity;

async function passOnce(): Promise<void> {
  clock.advance(250);
  await fetch(`${api.url}/nothing`);
}

/** Advances the clock until the condition holds, with a request after each step so that those in flight get their response. */
async function passUntil(condition: () => boolean): Promise<void> {
  for (let step = 0; step < 400 && !condition(); step += 1) await passOnce();
  expect(condition()).toBe(true);
}

describe('hints', () => {
  const hint = { kind: 'MCPAuthPolicy', key: 'default/policy', field: 'spec.rules', message: 'Mend it.' } as const;

  it('are Events of the leader alone, once while they last, and are asked for when the next one begins', async () => {
    store(api, policy);
    const leader = replica('a', policy);
    await passUntil(() => writes().length > 0);
    const follower = replica('b', policy);
    for (const { manager } of [leader, follower, leader]) manager.hinted([hint]);
    await passUntil(() => events().length > 0);
    await passUntil(() => String(holder()).startsWith('a'));
    expect(events()).toMatchObject([{ reason: 'PossibleMistake', note: 'spec.rules: Mend it.' }]);
    expect([leader, follower].map(({ terms, manager }) => [terms(), manager.leads()])).toEqual([
      [1, true],
      [0, false],
    ]);
    await leader.stop();
    await passUntil(() => follower.terms() === 1);
    expect([leader.manager.leads(), follower.manager.leads()]).toEqual([false, true]);
    follower.manager.hinted([hint]);
    await passUntil(() => events().length > 1);
    expect(String(holder())).toMatch(/^b/);
    expect(events().at(-1)).toMatchObject({ reason: 'PossibleMistake' });
  });
});

describe('a change in parts', () => {
  it('has the statuses and Events of its end alone', async () => {
    store(api, mcpClass, gateway, policy);
    const leader = replica('a', mcpClass);
    await passUntil(() => writes().length === 1);
    leader.applyPart(policy, badService);
    // Long enough for everything that is queued to be sent.
    for (let step = 0; step < 40; step += 1) await passOnce();
    const mended = { ...badService, metadata: metadata('tools') };
    leader.applyPart(mended);
    leader.apply(gateway, { ...policy, metadata: metadata('other') });
    await passUntil(() => writes().length === 3);
    await passUntil(() => leader.counters.level('gatehouse_status_pending') === 0);
    expect(writes().filter((path) => path.startsWith(pathOf('MCPAuthPolicy', 'policy')))).toHaveLength(1);
    expect(statusOf(api, 'MCPAuthPolicy', 'policy')).toMatchObject({
      ancestors: [{ conditions: [{ type: 'Accepted', status: 'True' }] }],
    });
    expect(events()).toEqual([]);
  });
});

describe('a Gateway whose class does not exist', () => {
  const ready = 'The configuration is ready for the gateways that ask for it.';
  const withStatus = (message: string): Manifest => ({
    ...gateway,
    status: {
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'x', observedGeneration: 1 },
        { type: 'Programmed', status: 'True', reason: 'Programmed', message, observedGeneration: 1 },
        { type: 'example.com/Audited', status: 'True', reason: 'Audited', message: '' },
      ],
      listeners: [{ name: 'mcp', conditions: [] }],
    },
  });

  it('waits for a controller, once its status was of this one', async () => {
    store(api, withStatus(ready));
    replica('a', gateway);
    await passUntil(() => writes().length > 0);
    expect(statusOf(api, 'Gateway', 'gw')).toMatchObject({
      conditions: [
        { type: 'Accepted', status: 'Unknown', reason: 'Pending', message: 'Waiting for controller' },
        { type: 'Programmed', status: 'Unknown', reason: 'Pending', message: 'Waiting for controller' },
        { type: 'example.com/Audited', status: 'True' },
      ],
      listeners: [],
    });
  });

  it.each([
    ['was written by another controller', 'Programmed by somebody else', []],
    [
      'is that of a class of another controller',
      ready,
      [{ ...mcpClass, spec: { controllerName: 'example.com/other' } }],
    ],
  ])('keeps a status that %s', async (_, message, classes) => {
    store(api, withStatus(message));
    // The status of the other class shows that the writer has run.
    const other = { ...mcpClass, metadata: { name: 'other', generation: 1 } };
    store(api, other);
    replica('a', ...classes, gateway, other);
    await passUntil(() => writes().length > 0);
    await passUntil(() => statusOf(api, 'GatewayClass', 'other') !== undefined);
    expect(writes()).toEqual([expect.stringContaining('/gatewayclasses/other')]);
  });
});

describe('the leader', () => {
  it('writes the status of every object', async () => {
    store(api, mcpClass, gateway, policy);
    replica('a', mcpClass, gateway, policy);
    await api.until(() => writes().length === 3);
    expect(statusOf(api, 'GatewayClass', 'mcp')).toMatchObject({
      conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 }],
    });
    expect(statusOf(api, 'Gateway', 'gw')).toMatchObject({
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'True' },
        { type: 'kgateway.dev/MCPAuthPolicyAffected', message: 'Attached policies: policy.' },
        { type: 'kgateway.dev/JWTProvided', status: 'False', reason: 'NotProvided' },
      ],
      listeners: [{ name: 'mcp', supportedKinds: [], attachedRoutes: 0 }],
    });
    expect(statusOf(api, 'MCPAuthPolicy', 'policy')).toMatchObject({
      ancestors: [{ ancestorRef: { name: 'gw' }, controllerName: 'kgateway.dev/kgateway' }],
    });
  });

  it('writes nothing before the initial state was read', async () => {
    store(api, mcpClass);
    const rig = createManagerRig(api, clock, 'a');
    stops.push(rig.manager.start());
    await rig.log.line('this replica leads');
    rig.apply(mcpClass);
    await passUntil(() => api.calls.filter(({ method }) => method === 'PUT').length > 5);
    expect(writes()).toEqual([]);
    rig.manager.synced();
    await api.until(() => writes().length === 1);
  });

  it('writes changes, and nothing for its own writes', async () => {
    store(api, mcpClass, gateway);
    const { apply, observe, counters } = replica('a', mcpClass, gateway);
    await api.until(() => writes().length === 2);
    observe('GatewayClass', 'mcp');
    observe('Gateway', 'gw');
    await passUntil(() => counters.level('gatehouse_status_pending') === 0);
    store(api, policy);
    apply(policy);
    await passUntil(() => writes().length === 4);
    expect(writes().slice(2).sort()).toEqual([
      `${pathOf('MCPAuthPolicy', 'policy')}/status`,
      `${pathOf('Gateway', 'gw')}/status`,
    ]);
  });

  it('records once in Events what no status has a field for', async () => {
    const crowd = Array.from({ length: 16 }, (_, at) => ancestor(`x${at}`, 'a.example/c'));
    const crowded = { ...policy, status: { ancestors: crowd } };
    store(api, mcpClass, gateway, crowded);
    const { observe } = replica('a', mcpClass, gateway, crowded, badService);
    await api.until(() => events().length === 2);
    for (let round = 0; round < 5; round += 1) observe('MCPAuthPolicy', 'policy');
    expect(events()).toMatchObject([
      {
        reason: 'InvalidMCPService',
        regarding: { kind: 'Service', name: 'tools', uid: 'uid of Service default/tools' },
      },
      {
        reason: 'AncestorsFull',
        regarding: { kind: 'MCPAuthPolicy', name: 'policy' },
        note: expect.stringContaining('Gateway gw'),
      },
    ]);
    expect(statusOf(api, 'MCPAuthPolicy', 'policy')).toEqual({ ancestors: crowd });
  });
});

describe('two replicas', () => {
  async function twoReplicas() {
    store(api, mcpClass, gateway);
    const a = replica('a', mcpClass, gateway);
    await a.log.line('this replica leads');
    const b = replica('b', mcpClass, gateway, badService);
    await b.log.line('another replica leads');
    await api.until(() => writes().length === 2);
    return { a, b };
  }

  it('are distinguished when they have the same name', async () => {
    const a = replica('same');
    await a.log.line('this replica leads');
    const b = replica('same');
    await b.log.line('another replica leads');
    expect(b.counters.level('gatehouse_leader')).toBe(0);
    expect(holder()).toMatch(/^same_[0-9a-f]+$/);
  });

  it('have one writer of statuses, and both record NACKs', async () => {
    const { b } = await twoReplicas();
    b.manager.rejected({ gateway: 'default/gw', node: 'n', typeUrl: 'type.googleapis.com/mcp.Target', message: 'no' });
    await api.until(() => events().length === 1);
    expect(events()).toMatchObject([{ reason: 'ResponseRejected', reportingInstance: 'b' }]);
    expect(b.counters.total('gatehouse_status_writes_total')).toBe(0);
  });

  it('hand over when the leader stops: the next one compares every object and writes differences', async () => {
    const { a, b } = await twoReplicas();
    await a.stop();
    expect(holder()).toBe('');
    api.put(pathOf('Gateway', 'gw'), gateway);
    b.observe('GatewayClass', 'mcp');
    b.observe('Gateway', 'gw');
    await passUntil(() => b.counters.total('gatehouse_status_writes_total') > 0);
    expect(writes().slice(2)).toEqual([`${pathOf('Gateway', 'gw')}/status`]);
    expect(holder()).toMatch(/^b_/);
    expect(b.counters.total('gatehouse_status_writes_total', { outcome: 'written' })).toBe(1);
    await api.until(() => events().length === 1);
    expect(events()).toMatchObject([{ reason: 'InvalidMCPService', reportingInstance: 'b' }]);
  });

  it('hand over when the leader is cut off, and the old one writes nothing more', async () => {
    const { a, b } = await twoReplicas();
    const killed = holder();
    api.misbehave = ({ method, body }) =>
      method === 'PUT' && Object(body['spec']).holderIdentity === killed ? 'hang' : undefined;
    await passUntil(() => b.counters.level('gatehouse_leader') === 1);
    expect(a.counters.level('gatehouse_leader')).toBe(0);
    const written = a.counters.total('gatehouse_status_writes_total');
    store(api, policy);
    a.apply(policy);
    b.apply(policy);
    await passUntil(() => b.counters.total('gatehouse_status_writes_total', { outcome: 'written' }) >= 1);
    expect(a.counters.total('gatehouse_status_writes_total')).toBe(written);
  });
});

describe('a NACK', () => {
  it('is recorded only on Gateways of this controller', async () => {
    const foreign: Manifest = {
      ...gateway,
      metadata: metadata('foreign'),
      spec: { gatewayClassName: 'other', listeners: [] },
    };
    const { manager } = replica('a', mcpClass, gateway, foreign);
    const refusal = { node: 'n', typeUrl: 'type.googleapis.com/mcp.Target', message: 'no' };
    for (const name of ['foreign', 'absent', 'gw']) manager.rejected({ ...refusal, gateway: `default/${name}` });
    await api.until(() => events().length > 0);
    expect(events()).toMatchObject([{ regarding: { kind: 'Gateway', name: 'gw' } }]);
  });
});

describe('a process without an election', () => {
  it('writes statuses without a Lease until it stops', async () => {
    store(api, mcpClass, gateway);
    const { manager, apply, counters } = createManagerRig(api, clock, 'alone', false);
    const stop = manager.start();
    apply(mcpClass, gateway);
    expect(counters.level('gatehouse_status_pending')).toBe(0);
    manager.synced();
    await api.until(() => writes().length === 2);
    expect(counters.level('gatehouse_leader')).toBe(1);
    await stop();
    expect(counters.level('gatehouse_leader')).toBe(0);
    store(api, policy);
    apply(policy);
    await passUntil(() => api.calls.length > 10);
    expect(writes()).toHaveLength(2);
    expect(api.object(leasePath)).toBeUndefined();
  });
});

describe('an API server that answers nothing but HTML', () => {
  it('does no harm, and every status is written once it works again', async () => {
    store(api, mcpClass, gateway);
    api.misbehave = () => ({ status: 200, text: '<html>hello</html>' });
    const { log, manager } = replica('a', mcpClass, gateway);
    manager.rejected({ gateway: 'default/gw', node: 'n', typeUrl: 'x', message: 'no' });
    await log.line('leader election: failed');
    await passUntil(() => api.calls.length > 20);
    api.misbehave = undefined;
    await passUntil(() => writes().length === 2);
    expect(log.lines.length).toBeLessThan(10);
  });

  it('does not prevent the stop', async () => {
    const { stop, log } = replica('a');
    await log.line('this replica leads');
    api.misbehave = () => 'hang';
    const stopped = stop();
    const count = api.calls.length;
    await api.until(() => api.calls.length > count);
    clock.advance(4_000);
    await stopped;
    expect(clock.waiting()).toEqual([]);
    expect(log.lines.at(-1)?.message).toBe('the Lease was not released: it expires');
  });
});
