import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonExcess, JsonStructure } from '../../src/json/json-structure.ts';

const unbounded = { maxValues: 1e9, maxDepth: 1e9, maxNames: 1e9 };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Counts a text that arrives in pieces of this many bytes. */
function count(text: string, bounds: Partial<typeof unbounded> = {}, size = text.length + 1) {
  const structure = new JsonStructure({ ...unbounded, ...bounds });
  const bytes = bytesOf(text);
  let excess: JsonExcess | undefined;
  let read = 0;
  for (; read < bytes.length && excess === undefined; read += size) {
    excess = structure.push(bytes.subarray(read, read + size));
  }
  return { excess, read, values: structure.values };
}

/** Values, keys and empty containers once more. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const inner = Object.values(value);
  const keys = Array.isArray(value) ? 0 : inner.length;
  return 1 + keys + (inner.length === 0 ? 1 : 0) + inner.reduce((sum: number, member) => sum + valuesIn(member), 0);
}

function namesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

const json = fc.jsonValue({ maxDepth: 5 });

describe('the structure of a JSON text', () => {
  it('is counted exactly, in pieces of any size', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 20 }), (value, size) => {
        expect(count(JSON.stringify(value), {}, size)).toMatchObject({ excess: undefined, values: valuesIn(value) });
      }),
    );
  });

  it('is counted exactly with long strings, whose ends are searched for, in pieces of any size', () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 200 }).map((length) => 'x'.repeat(length)),
      fc.constantFrom('"', '\\', '\\"', '\n', 'é', ',', ':', '[', '}'),
    );
    const long = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(long, { maxLength: 5 }), fc.integer({ min: 1, max: 1_000 }), (strings, size) => {
        const text = JSON.stringify(strings);
        expect(count(text, {}, size)).toMatchObject({ excess: undefined, values: valuesIn(strings) });
        const structure = new JsonStructure(unbounded);
        structure.push(bytesOf(text));
        const lengths = strings.map((string) => bytesOf(JSON.stringify(string)).length - 2);
        expect([structure.isWhole, structure.longestString]).toEqual([true, Math.max(0, ...lengths)]);
      }),
    );
  });

  it('has too many names exactly when there are more different ones than allowed', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 20 }), (value, size) => {
        const names = new Set(namesIn(value).map((name) => JSON.stringify(name))).size;
        const text = JSON.stringify(value);
        expect(count(text, { maxNames: names }, size).excess).toBeUndefined();
        if (names > 0) expect(count(text, { maxNames: names - 1 }, size).excess).toBe('names');
      }),
    );
  });

  it('has names of any length, of which long ones all count', () => {
    const object = (name: string) => `[${`{"${name}":1},`.repeat(10)}1]`;
    expect(count(object('a'.repeat(64)), { maxNames: 1 }).excess).toBeUndefined();
    expect(count(object('a'.repeat(65)), { maxNames: 9 }).excess).toBe('names');
  });

  it.each<[JsonExcess, Partial<typeof unbounded>, string]>([
    ['values', { maxValues: 100 }, '{},'],
    ['levels', { maxDepth: 100 }, '['],
    ['names', { maxNames: 0 }, '{"a":1},'],
  ])('with too many %s is refused before the rest has arrived', (excess, bounds, unit) => {
    const { read, ...found } = count(unit.repeat(10_000), bounds, 16);
    expect(found.excess).toBe(excess);
    expect(read).toBeLessThan(1_000);
  });

  it('begins anew after a reset, also in the middle of a string', () => {
    const structure = new JsonStructure({ ...unbounded, maxNames: 1 });
    structure.push(bytesOf('{"a":["\\'));
    structure.reset();
    expect(structure.push(bytesOf('{"b":1}'))).toBeUndefined();
    expect(structure.values).toBe(3);
  });
});
