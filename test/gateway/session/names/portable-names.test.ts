import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePortableName, portableName } from '../../../../src/gateway/session/names/portable-names.ts';

/** Names as they are in practice, and texts that are near the escapes. */
const part = fc.oneof(
  fc.constantFrom(
    'default/mcp-tool',
    'a',
    'ns/name',
    'convert_to_markdown',
    'files.read',
    'a__b',
    '_',
    '__',
    '-',
    '--',
  ),
  fc
    .array(fc.constantFrom('_', '-', '/', 'a', 'm', 'x', 'z', '2f', '--h', '.', ':', ' '), { minLength: 1 })
    .map((p) => p.join('')),
  fc.string({ minLength: 1, unit: 'binary' }),
);
const qualified = fc.record({ target: part, name: part });

describe('a portable name', () => {
  it.each([
    ['default/mcp-tool', 'convert_to_markdown', 'default_mcp-tool__convert_to_markdown'],
    ['default/tool', 'files.read', 'default_tool__files--dread'],
    ['a', '__', 'a____'],
    ['a_b', 'x', 'a--ub__x'],
    ['a/', '/b', 'a--s__--sb'],
    ['a-', '-b', 'a--m__-b'],
    ['a', 'ä', 'a__--xe4z'],
  ])('of %j and %j is %j', (target, name, expected) => {
    expect(portableName({ target, name })).toBe(expected);
  });

  it('has at most 64 letters, digits, hyphens and underscores', () => {
    fc.assert(
      fc.property(qualified, (name) => {
        expect(portableName(name)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      }),
    );
  });

  it('is parsed to the target and name that it was made of, or says that lists must tell', () => {
    fc.assert(
      fc.property(qualified, (name) => {
        const parsed = parsePortableName(portableName(name));
        expect(parsed).toEqual(parsed?.kind === 'hashed' ? { kind: 'hashed' } : { kind: 'name', ...name });
      }),
    );
  });

  it('has a hash only when the whole is longer than 64 characters', () => {
    for (const length of [60, 61, 62, 200]) {
      const exposed = portableName({ target: 'a', name: 'x'.repeat(length) });
      expect(parsePortableName(exposed)?.kind).toBe(length <= 61 ? 'name' : 'hashed');
    }
  });

  it('is that of one target and name only', () => {
    fc.assert(
      fc.property(qualified, qualified, (one, other) => {
        const isSame = one.target === other.target && one.name === other.name;
        expect(portableName(one) === portableName(other)).toBe(isSame);
      }),
    );
    const long = (end: string) => portableName({ target: 'a', name: `${'x'.repeat(100)}${end}` });
    expect(long('1')).not.toBe(long('2'));
  });

  it('has one spelling: a text that is parsed is the name of what it is parsed to', () => {
    const near = fc.array(fc.constantFrom('__', '_', '--', '-', 'a', 's', 'm', 'x2f', 'z', 'd'), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(near, (pieces) => {
        const text = pieces.join('');
        const parsed = parsePortableName(text);
        if (parsed?.kind === 'name') expect(portableName(parsed)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
