import { describe, expect, it } from 'vitest';
import type { Fault, ReceivedRequest } from '../../../support/api-server/faults.ts';
import { type ClusterRig, requestsFor, startCluster } from '../cluster-rig.ts';

const match = { type: 'JWT', jwt: { claim: 'sub', value: 'alice' } };
const rule = { resource: { kind: 'tool', name: '*' }, matches: [match] };
const policy = { name: 'policy', spec: { targetRefs: [{ name: 'gateway' }], rules: [rule] } };
const key = 'MCPAuthPolicy default/policy';
const policies = requestsFor('MCPAuthPolicy');

/** A synced cluster with one policy. */
async function withPolicy(): Promise<ClusterRig> {
  const cluster = await startCluster((server) => server.put('MCPAuthPolicy', policy));
  await cluster.settled();
  return cluster;
}

/** A cluster with one policy whose CRD was removed after the sync; discovery has confirmed that once. */
async function withPolicyAndMissingCrd(): Promise<ClusterRig> {
  const cluster = await withPolicy();
  cluster.server.serve('MCPAuthPolicy', false);
  cluster.server.watches('MCPAuthPolicy')[0]?.reset();
  await cluster.pass(600);
  await cluster.pass(1200);
  await cluster.eventually(() => cluster.clock.waiting().includes(7500));
  return cluster;
}

describe('a CRD that is missing', () => {
  it('holds up no other kind, and is found within seconds of its installation', async () => {
    const cluster = await startCluster((server) => {
      server.serve('MCPAuthPolicy', false);
      server.put('Namespace', { name: 'default' });
    });
    await cluster.until(() => cluster.resources.has('Namespace default'));
    await cluster.pass(7500);
    await cluster.server.until(() => cluster.server.requestCount(policies) === 2);
    cluster.server.serve('MCPAuthPolicy', true);
    cluster.server.put('MCPAuthPolicy', policy);
    await cluster.pass(7500);
    await cluster.until(() => cluster.resources.has(key));
    await cluster.server.watchOpened('MCPAuthPolicy');
    await cluster.pass(5000);
    await cluster.log.line('a problem is gone');
    expect(cluster.log.lines.filter(({ message }) => message.includes('do not exist'))).toHaveLength(1);
  });

  it('may be a version of a group, or the whole group', async () => {
    const cluster = await startCluster((server) => {
      server.serve('Gateway', false);
      server.serve('MCPAuthPolicy', false);
      server.serve('GatewayParameters', false);
    });
    await cluster.until(() => cluster.synced);
    expect(cluster.problems()).toHaveLength(3);
    expect(cluster.server.requestCount(({ path }) => path === '/apis/gateway.networking.k8s.io/v1')).toBe(1);
    expect(cluster.server.requestCount(({ path }) => path === '/apis/gateway.kgateway.dev/v1alpha1')).toBe(0);
  });

  it('is confirmed by discovery once, and then only listed', async () => {
    const cluster = await startCluster((server) => server.serve('MCPAuthPolicy', false));
    await cluster.until(() => cluster.synced);
    for (let time = 0; time < 5; time += 1) await cluster.pass(7500);
    await cluster.server.until(() => cluster.server.requestCount(policies) === 6);
    expect(cluster.server.requestCount(({ path }) => path === '/apis')).toBe(1);
  });
});

describe('a CRD that is removed', () => {
  it('deletes its objects once discovery has confirmed it twice', async () => {
    const cluster = await withPolicyAndMissingCrd();
    expect(cluster.resources.has(key)).toBe(true);
    await cluster.pass(7500);
    await cluster.until(() => !cluster.resources.has(key));
    expect(cluster.observed('MCPAuthPolicy', 'default/policy')?.object).toBeUndefined();
  });

  it('and is installed again before the second confirmation deletes nothing', async () => {
    const cluster = await withPolicyAndMissingCrd();
    cluster.server.serve('MCPAuthPolicy', true);
    await cluster.pass(7500);
    await cluster.server.watchOpened('MCPAuthPolicy');
    expect(cluster.all.flatMap(({ changes }) => changes).every(({ resource }) => resource !== undefined)).toBe(true);
  });
});

describe('a 404 is no evidence', () => {
  const discovery = ({ path }: ReceivedRequest): boolean =>
    path === '/apis' || path === '/apis/gateway.kgateway.dev/v1alpha1';
  it.each<[string, Fault]>([
    ['is a page of a proxy', { does: 'html', status: 404 }],
    ['is a 404 too', { does: 'answer', status: 404 }],
    ['is HTML with status 200', { does: 'html', status: 200 }],
    ['is JSON of something else', { does: 'say', text: '{"kind":"Status","groups":[],"resources":[]}', next: 'end' }],
    ['has no list of groups', { does: 'say', text: '{"kind":"APIGroupList","groups":{}}', next: 'end' }],
    ['breaks off', { does: 'say', text: '{"kind":"APIGroupList","groups":[', next: 'break' }],
    ['is a reset', { does: 'reset' }],
  ])('when the response of discovery %s', async (_what, fault) => {
    const cluster = await withPolicy();
    cluster.server.injectFault(policies, { does: 'answer', status: 404 });
    cluster.server.injectFault(discovery, fault);
    cluster.server.watches('MCPAuthPolicy')[0]?.reset();
    for (const delay of [600, 1200, 2400, 4800]) await cluster.pass(delay);
    await cluster.eventually(() => cluster.clock.waiting().includes(9600));
    expect(cluster.resources.has(key)).toBe(true);
    expect(cluster.problems()[0]).toContain('lost: ');
  });

  it('when discovery lists the resource', async () => {
    const cluster = await withPolicy();
    cluster.server.injectFault(policies, { does: 'answer', status: 404 });
    cluster.server.watches('MCPAuthPolicy')[0]?.reset();
    for (const delay of [600, 1200, 2400]) await cluster.pass(delay);
    await cluster.eventually(() => cluster.clock.waiting().includes(4800));
    expect(cluster.resources.has(key)).toBe(true);
  });
});
