import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structurallyEqual } from '../../src/graph/equality.ts';

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Small values, so that two of them often are equal; without -0, which JSON writes as 0. */
const json = fc.jsonValue({ maxDepth: 1 }).map(copy);

class WithPrivateState {
  readonly #state: number;
  constructor(state: number) {
    this.#state = state;
  }
  read(): number {
    return this.#state;
  }
}

class MapSubclass extends Map<string, number> {
  label = '';
}

const equal: readonly (readonly [a: unknown, b: unknown])[] = [
  [1, 1],
  [Number.NaN, Number.NaN],
  [null, null],
  [{ a: [1, { b: 'c' }] }, { a: [1, { b: 'c' }] }],
  [Object.assign(Object.create(null), { a: 1 }), Object.assign(Object.create(null), { a: 1 })],
  [new Map([['a', [1]]]), new Map([['a', [1]]])],
  [new Set([[1], [2]]), new Set([[1], [2]])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [Buffer.from('abc'), Buffer.from('abc')],
  [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
];

const different: readonly (readonly [a: unknown, b: unknown])[] = [
  [0, -0],
  [1, '1'],
  [null, undefined],
  [null, {}],
  [[], {}],
  [{}, Object.create(null)],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [{ a: 1 }, { a: 1, b: 2 }],
  [[1, 2], [1]],
  [[undefined], []],
  [new Map([['a', 1]]), new Map([['a', 2]])],
  [new Map([['a', 1]]), new Map([['b', 1]])],
  [new Map(), new Set()],
  [new Set([1]), new Set([1, 2])],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Uint8Array([1]), new Uint8Array([1, 2])],
  [new Uint8Array([1]), Buffer.from([1])],
  [new Uint8Array([1]), new Uint16Array([1])],
  [JSON.parse('{"__proto__": 1}'), {}],
  [new WithPrivateState(1), new WithPrivateState(1)],
  [new Date(0), new Date(0)],
  [new MapSubclass(), new MapSubclass()],
  [() => 1, () => 1],
];

describe('structural equality', () => {
  it.each(equal)('holds between %o and %o', (a, b) => {
    expect(structurallyEqual(a, b)).toBe(true);
  });

  it.each(different)('does not hold between %o and %o', (a, b) => {
    expect(structurallyEqual(a, b)).toBe(false);
    expect(structurallyEqual(b, a)).toBe(false);
  });

  it('distinguishes the order of keys and members, as a transformation can', () => {
    expect(structurallyEqual({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(false);
    expect(structurallyEqual(new Set([1, 2]), new Set([2, 1]))).toBe(false);
    expect(
      structurallyEqual(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        new Map([
          ['b', 2],
          ['a', 1],
        ]),
      ),
    ).toBe(false);
  });

  it('holds for every copy of a JSON value, and agrees with the equality of JSON texts', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(structurallyEqual(a, copy(a))).toBe(true);
        expect(structurallyEqual(a, b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
