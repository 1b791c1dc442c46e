import { describe, expect, it } from 'vitest';
import { asJsonObject, isJsonObject, objectIn, objectsOf, parseJson, textIn } from '../../src/json/json.ts';

const noObjects: readonly unknown[] = [undefined, null, 1, 'text', true, [], [{}]];

describe('reading JSON that nobody has checked', () => {
  it('tells objects from everything else', () => {
    expect(isJsonObject({})).toBe(true);
    expect(noObjects.filter(isJsonObject)).toEqual([]);
  });

  it('makes an empty object of what is none', () => {
    expect(asJsonObject({ a: 1 })).toEqual({ a: 1 });
    expect(noObjects.map(asJsonObject)).toEqual(noObjects.map(() => ({})));
  });

  it('finds an object in a field, or an empty one', () => {
    expect(objectIn({ a: { b: 1 } }, 'a')).toEqual({ b: 1 });
    expect([objectIn({ a: [] }, 'a'), objectIn({}, 'a'), objectIn('text', 'length')]).toEqual([{}, {}, {}]);
  });

  it('finds a text in a field, unless it is empty', () => {
    expect(textIn({ a: 'b' }, 'a')).toBe('b');
    expect([textIn({ a: '' }, 'a'), textIn({ a: 1 }, 'a'), textIn([], 'a')]).toEqual([undefined, undefined, undefined]);
  });

  it('finds the objects of a list', () => {
    expect(objectsOf([{ a: 1 }, 2, null, { b: 3 }])).toEqual([{ a: 1 }, { b: 3 }]);
    expect(objectsOf({ length: 1 })).toEqual([]);
  });

  it('tells a text that says null from one that is no JSON', () => {
    expect([parseJson('null'), parseJson('{')]).toEqual([{ value: null }, undefined]);
  });
});
