import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structurallyEqual } from '../../src/graph/equality.ts';
import type { Decoded, KindName } from '../../src/resources/model.ts';
import { decode, pathText } from '../../src/resources/resources.ts';
import { garbage, reversed, spoilt } from './garbage.ts';
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

/** Garbage, and objects that are good but for one piece of it. */
const input = (kind: KindName): fc.Arbitrary<unknown> => {
  const object: Mapping = samples[kind];
  return fc.oneof(garbage, spoilt(object, 'spec', garbage), spoilt(object, 'metadata', garbage));
};

/** The reasons of all faults in a resource. */
function faults(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('ok' in value && value.ok === false && 'reason' in value) return [String(value.reason)];
  return Object.values(value).flatMap(faults);
}

/** Whether what a Service says about its place binds it: only with an MCP port. */
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

  it('never throws, and has an error for whatever cannot be read', () => {
    check((decoded) => {
      const errors = decoded.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
      if (!decoded.readable) expect(errors).not.toEqual([]);
      else if (isReported(decoded)) expect(errors).toEqual(expect.arrayContaining([...faults(decoded.resource)]));
    });
  });

  it('says each thing in one sentence that begins with its field, on one line of bearable length', () => {
    check(({ problems }) => {
      for (const { path, message } of problems) {
        expect(message.startsWith(`${pathText(path) || 'The object'} `)).toBe(true);
        expect(message).toMatch(/^[^\p{Cc}\p{Zl}]{1,600}\.$/u);
      }
    });
  });

  it('gives the same again, whatever the order of keys', () => {
    check((decoded, value) => {
      expect(structurallyEqual(decode(kind, value), decoded)).toBe(true);
      expect(structurallyEqual(decode(kind, reversed(value)), decoded)).toBe(true);
    });
  });

  it('understands all of a good object', () => {
    expect(faults(resource(kind, samples[kind]))).toEqual([]);
    expect(decode(kind, samples[kind]).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('leaves its input as it is', () => {
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

describe('an input without end', () => {
  it('is decoded as far as it is read', () => {
    const loop: Record<string, unknown> = { ...samples.Gateway };
    loop['spec'] = loop;
    expect(decode('Gateway', loop).readable).toBe(true);
  });

  it('of ten thousand levels is decoded as far as it is read', () => {
    let deep: unknown = {};
    for (let level = 0; level < 10_000; level += 1) deep = { spec: deep, listeners: [deep] };
    const value = { ...samples.Gateway, spec: deep };
    expect(decode('Gateway', value).readable).toBe(true);
    expect(isValid(resource('Gateway', value).listeners[0])).toBe(true);
  });
});
