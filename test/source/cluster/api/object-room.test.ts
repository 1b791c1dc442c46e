import { expect, it } from 'vitest';
import type { KindName } from '../../../../src/resources/model.ts';
import { decodeObject, excessiveObject, readObject } from '../../../../src/source/cluster/api/object.ts';
import { memoryOf } from '../../../../src/source/cluster/api/object-room.ts';

const metadata = { name: 'it', namespace: 'here', uid: 'u', resourceVersion: '1' };
const parts = Array.from({ length: 11 }, (_, index) => index + 1);

const worlds: readonly (readonly [what: string, kind: KindName, of: (parts: readonly number[]) => object])[] = [
  [
    'MCP ports of a Service',
    'Service',
    (ports) => ({ spec: { ports: ports.map((port) => ({ port, appProtocol: 'kgateway.dev/mcp' })) } }),
  ],
  [
    'references of a policy',
    'MCPAuthPolicy',
    (refs) => ({ spec: { targetRefs: refs.map((ref) => ({ name: `g${ref}` })), jwt: { providers: [] } } }),
  ],
  [
    'listeners of a Gateway',
    'Gateway',
    (ports) => ({ spec: { listeners: ports.map((port) => ({ name: `l${port}`, port })) } }),
  ],
  [
    'labels of a Namespace, four of which are one part,',
    'Namespace',
    (fours) => {
      const labels = fours.flatMap((four) => ['a', 'b', 'c', 'd'].map((letter) => [`${letter}${four}`, '']));
      return { metadata: { ...metadata, labels: Object.fromEntries(labels) } };
    },
  ],
];

function bytesBeside(kind: KindName, fields: object): number {
  const text = JSON.stringify({ metadata, ...fields });
  return (readObject(kind, { text, bytes: text.length })?.bytes ?? Number.NaN) - text.length;
}

it.each(worlds)('%s count with the memory of what they are made into', (_, kind, of) => {
  expect(bytesBeside(kind, of(parts.slice(0, 1)))).toBe(0);
  // A policy counts with what it is encoded to as well, once for each reference.
  const most = kind === 'MCPAuthPolicy' ? 14 : 10;
  const counted = bytesBeside(kind, of(parts)) * memoryOf(kind);
  expect([counted >= 10 * 2_048, counted <= most * 2_048]).toEqual([true, true]);
});

it('rules of policies count as often as they are encoded: for each match the name, and all of it for each reference', () => {
  const matches = Array.from({ length: 64 }, (_, index) => ({ type: 'JWT', jwt: { claim: 'c', value: `${index}` } }));
  const rules = [{ matches, resource: { kind: 'tool', name: `a/b:${'n'.repeat(1_000)}` } }];
  const spec = { targetRefs: [{ name: 'g' }], rules };
  const once = 64 * 1_064;
  expect(bytesBeside('MCPAuthPolicy', { spec }) * memoryOf('MCPAuthPolicy')).toBe(2 * once);
  const targetRefs = parts.map((part) => ({ name: `g${part}` }));
  const many = bytesBeside('MCPAuthPolicy', { spec: { targetRefs, rules } });
  expect(many * memoryOf('MCPAuthPolicy')).toBeGreaterThan(12 * once);
});

it('ports that are no MCP ports count with their bytes alone', () => {
  const ports = parts.map((port) => ({ port, appProtocol: port % 2 === 0 ? 'http' : undefined }));
  expect(bytesBeside('Service', { spec: { ports } })).toBe(0);
});

it.each([undefined, null, 'text', {}, [[]]])('fields that are %j count as none', (odd) => {
  for (const [, kind] of worlds) expect(bytesBeside(kind, { spec: odd })).toBe(0);
  expect(bytesBeside('Gateway', { spec: { listeners: odd } })).toBe(0);
});

it('what is kept of a policy that is too large counts with its references, which it claims nevertheless', () => {
  const [, , of] = worlds[1] ?? [];
  const text = JSON.stringify({ metadata, ...of?.(parts) });
  const kept = (count: number): number => {
    const short = JSON.stringify({ metadata, ...of?.(parts.slice(0, count)) });
    return excessiveObject('MCPAuthPolicy', short, 'has more than 8 bytes')?.bytes ?? Number.NaN;
  };
  expect(kept(11) - kept(1)).toBeGreaterThan((10 * 2_048) / memoryOf('MCPAuthPolicy'));
  const object = readObject('MCPAuthPolicy', { text, bytes: text.length });
  expect(object && decodeObject('MCPAuthPolicy', object).kept).toBe(object?.bytes);
});
