import { expect, it } from 'vitest';
import { decode } from '../../src/resources/resources.ts';
import { divide, estimatedBytes } from '../../src/source/batch-parts.ts';
import type { ResourceChange } from '../../src/source/model.ts';
import { changeOf } from '../../src/source/resource-change.ts';

/** A change that adds an object of so many parts. */
function added(kind: 'Service' | 'MCPAuthPolicy', parts: number): ResourceChange {
  const list = Array.from({ length: parts }, (_, index) =>
    kind === 'Service'
      ? { name: `p${index}`, port: index + 1, appProtocol: 'kgateway.dev/mcp' }
      : { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: `g${index}` },
  );
  const spec = kind === 'Service' ? { ports: list } : { targetRefs: list, rules: [] };
  const apiVersion = kind === 'Service' ? 'v1' : 'gateway.kgateway.dev/v1alpha1';
  const decoded = decode(kind, { apiVersion, kind, metadata: { name: 'o', namespace: 'a' }, spec });
  if (!decoded.readable) throw new Error('the object is not readable');
  const { resource } = decoded;
  const key = 'a/o';
  return resource.kind === 'Service' ? { kind: 'Service', key, resource } : { kind: 'MCPAuthPolicy', key, resource };
}

function sizesOf(changes: readonly ResourceChange[]): readonly number[] {
  return [...divide(changes, estimatedBytes)].map(({ items }) => items.length);
}

it.each([
  ['Service', 1, 250],
  ['Service', 100, 20],
  ['MCPAuthPolicy', 1, 250],
  ['MCPAuthPolicy', 16, 136],
] as const)('a part has %s objects of %i targets or attachments up to %i', (kind, parts, most) => {
  const changes = Array<ResourceChange>(1_000).fill(added(kind, parts));
  expect(Math.max(...sizesOf(changes))).toBe(most);
});

it('a part has 136 Namespaces of 64 labels, since each label is looked up', () => {
  const labels = Object.fromEntries(Array.from({ length: 63 }, (_, at) => [`l${at}`, '']));
  const decoded = decode('Namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', labels } });
  if (!decoded.readable) throw new Error('the object is not readable');
  const change: ResourceChange = { kind: 'Namespace', key: 'n', resource: decoded.resource };
  const sizes = sizesOf(Array<ResourceChange>(1_000).fill(change));
  expect(Math.max(...sizes)).toBe(136);
});

it.each([
  ['Selector', 64],
  ['All', 250],
])('a part has Gateways with listeners from %s up to %i, since each selector looks at all namespaces', (from, most) => {
  const selector = from === 'Selector' ? { matchLabels: { team: 'a' } } : undefined;
  const namespaces = { from, ...(selector && { selector }) };
  const listeners = [{ name: 'mcp', port: 80, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces } }];
  const decoded = decode('Gateway', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'gw', namespace: 'a' },
    spec: { gatewayClassName: 'mcp', listeners },
  });
  if (!decoded.readable) throw new Error('the object is not readable');
  const change = changeOf('Gateway', 'a/gw', decoded.resource);
  const removed = changeOf('Gateway', 'a/gw', undefined, decoded.resource);
  for (const one of [change, removed]) {
    const sizes = sizesOf(Array<ResourceChange>(1_000).fill(one));
    expect(Math.max(...sizes)).toBe(most);
  }
});

it('a deletion counts what the object was made into, also when it was made smaller first', () => {
  const { kind, key, resource } = added('Service', 100);
  const small = added('Service', 1).resource;
  const sizes = (change: ResourceChange): number => Math.max(...sizesOf(Array<ResourceChange>(1_000).fill(change)));
  expect(sizes(changeOf(kind, key, undefined, resource))).toBe(20);
  expect(sizes(changeOf(kind, key, small, resource))).toBe(20);
  expect(sizes(changeOf(kind, key, undefined, small))).toBe(250);
});

it('a part is made when it is asked for, and looks at no item beyond the one after it', () => {
  let seen = 0;
  const items = Array.from({ length: 1_000 }, (_, index) => index);
  const parts = divide(items, () => {
    seen += 1;
    return 0;
  });
  expect(parts.next().value).toMatchObject({ items: { length: 250 }, more: true });
  expect(seen).toBe(251);
});

it('of nothing there is one part', () => {
  expect([...divide([], () => 0)]).toEqual([{ items: [], more: false }]);
});
