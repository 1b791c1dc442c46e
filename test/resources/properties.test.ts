import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structurallyEqual } from '../../src/graph/equality.ts';
import type { Decoded, KindName } from '../../src/resources/model.ts';
import { decode, pathText } from '../../src/resources/resources.ts';
import { corrupted, garbage, reversed } from './garbage.ts';
import { isValid, type Mapping, resource } from './objects.ts';
import { samples } from './samples.ts';

const kindNames: readonly KindName[] = [
  'GatewayClass',
  'GatewayParameters',
  'Gateway',
  'Service',
  'Namespace',
  'MCPAuthPolicy',
];

/** Arbitrary values, and valid objects with one corrupted part. */
const input = (kind: KindName): fc.Arbitrary<unknown> => {
  const object: Mapping = samples[kind];
  return fc.oneof(garbage, corrupted(object, 'spec', garbage), corrupted(object, 'metadata', garbage));
};

/** The reasons of all invalid parts of a resource. */
function reasonsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('ok' in value && value.ok === false && 'reason' in value) return [String(value.reason)];
  return Object.values(value).flatMap(reasonsIn);
}

/** The address and the path of a Service are reported only when it has an MCP port. */
function isReported(decoded: Decoded): boolean {
  if (!decoded.readable) return false;
  return decoded.resource.kind !== 'Service' || decoded.resource.mcpPorts.length > 0;
}

describe.each(kindNames)('decoding a %s', (kind) => {
  const check = (holds: (decoded: Decoded, value: unknown) => void): void => {
    fc.assert(
      fc.property(input(kind), (value) => holds(decode(kind, value), value)),
      { numRuns: 300 },
    );
  };

  it('never throws, and reports an error for each invalid part', () => {
    check((decoded) => {
      const errors = decoded.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
      if (!decoded.readable) expect(errors).not.toEqual([]);
      else if (isReported(decoded)) expect(errors).toEqual(expect.arrayContaining([...reasonsIn(decoded.resource)]));
    });
  });

  it('writes each problem as one sentence that begins with its field, on one line of at most 600 characters', () => {
    check(({ problems }) => {
      for (const { path, message } of problems) {
        expect(message.startsWith(`${pathText(path) || 'The object'} `)).toBe(true);
        expect(message).toMatch(/^[^\p{Cc}\p{Zl}]{1,600}\.$/u);
      }
    });
  });

  it('is deterministic and independent of the order of keys', () => {
    check((decoded, value) => {
      expect(structurallyEqual(decode(kind, value), decoded)).toBe(true);
      expect(structurallyEqual(decode(kind, reversed(value)), decoded)).toBe(true);
    });
  });

  it('accepts all of a valid object', () => {
    expect(reasonsIn(resource(kind, samples[kind]))).toEqual([]);
    expect(decode(kind, samples[kind]).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('does not modify its input', () => {
    check((_, value) => {
      const before = JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === 'bigint' ? String(inner) : inner,
      );
      decode(kind, value);
      const after = JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === 'bigint' ? String(inner) : inner,
      );
      expect(after).toBe(before);
    });
  });
});

describe('a cyclic or deep input', () => {
  it('is decoded as far as fields are read', () => {
    const loop: Record<string, unknown> = { ...samples.Gateway };
    loop['spec'] = loop;
    expect(decode('Gateway', loop).readable).toBe(true);
  });

  it('of ten thousand levels is decoded as far as fields are read', () => {
    let deep: unknown = {};
    for (let level = 0; level < 10_000; level += 1) deep = { spec: deep, listeners: [deep] };
    const value = { ...samples.Gateway, spec: deep };
    expect(decode('Gateway', value).readable).toBe(true);
    expect(isValid(resource('Gateway', value).listeners[0])).toBe(true);
  });
});
