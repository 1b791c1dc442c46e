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
  expect(bytesBeside(kind, of(parts)) * memoryOf(kind)).toBe(10 * 2_048);
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
