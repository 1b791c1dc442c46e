import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  changeParts,
  changeValue,
  duplicateName,
  elementsOf,
  firstMember,
  type JsonChange,
  membersOf,
  repeatedMember,
  replaceMember,
} from '../../src/json/json-text.ts';

const step = fc.oneof(fc.constantFrom('a', 'b', '1', '__proto__'), fc.nat(3));
const change = fc
  .tuple(fc.constantFrom('a', 'b', '1'), fc.array(step, { maxLength: 2 }), fc.option(fc.string(), { nil: undefined }))
  .map(([first, rest, value]) => ({ path: [first, ...rest], ...(value === undefined ? {} : { value }) }));
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '1', '2'), fc.jsonValue({ maxDepth: 3 }));

const changeText = (text: string, changes: readonly JsonChange[]): string =>
  changeParts(text, changes, JSON.stringify).join('');

describe('the text of a JSON object', () => {
  it('has the members and elements that JSON.parse finds', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2, '\r\n\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const members = membersOf(text).map((member) => [member.name, JSON.parse(member.text)]);
        expect(Object.fromEntries(members)).toEqual(JSON.parse(text));
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (value, indent) => {
        const elements = elementsOf(JSON.stringify(value, null, indent));
        expect(elements.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is changed as the parsed value is', () => {
    fc.assert(
      fc.property(object, fc.array(change, { minLength: 1, maxLength: 2 }), (value, changes) => {
        // Two changes within one another contradict each other.
        fc.pre(new Set(changes.map(({ path }) => path[0])).size === changes.length);
        const text = JSON.stringify(value);
        // Compared as texts in one order: matchers overlook a member that is named __proto__.
        const changed = JSON.parse(changeText(text, changes));
        expect(JSON.stringify(changed)).toBe(JSON.stringify(changeValue(JSON.parse(text), changes)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps all that is not changed, and of a member that is changed and occurs twice the last one', () => {
    const text = ' {"n":1e400,"n":2, "2":[ -0 ],"\\u0061":{"b":1,"b":2.0,"c":"\\/"},"1":{}} ';
    expect(changeText(text, [{ path: ['a', 'b'], value: 'x' }])).toBe(
      '{"n":1e400,"n":2,"2":[ -0 ],"\\u0061":{"b":"x","c":"\\/"},"1":{}}',
    );
    expect(changeText(text, [{ path: ['a'] }, { path: ['n'], value: 3 }, { path: ['new'], value: 4 }])).toBe(
      '{"n":3,"2":[ -0 ],"1":{},"new":4}',
    );
  });

  it('is not copied where it is not changed', () => {
    const file = `"${'x'.repeat(1_000)}"`;
    const text = `{"content":[{"uri":"a","blob":${file}},{"text":${file}}],"n":1}`;
    const parts = changeParts(text, [{ path: ['content', 0, 'uri'], value: 'b' }], JSON.stringify);
    expect(parts.filter((part) => part.length > 1_000)).toEqual([file, `{"text":${file}}`]);
    expect(parts.join('')).toBe(text.replace('"a"', '"b"'));
  });

  it('has a member twice, in whatever spelling', () => {
    expect(duplicateName(membersOf('{"a":1,"\\u0061":2}'), new Set())).toBe('a');
    expect(duplicateName(membersOf('{"a":{"b":1},"b":2}'), new Set())).toBeUndefined();
  });

  it.each([
    ['{"a":1,"b":{"a":1},"c":[{"a":1}]}', undefined],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"a":{"b":[0,{"c":1,"c":2}]}}', 'a.b[1].c'],
    ['[[{"a":1,"a":1}]]', '[0][0].a'],
    ['"a"', undefined],
  ])('has a member twice at some level: %s', (text, path) => {
    expect(repeatedMember(text)).toBe(path);
  });

  it.each(['NAME', 'Name', 'na\\u004de', 'task\u017f', '\u212aind'])(
    'has a member twice when %j differs only by case from one that counts in any case',
    (name) => {
      const text = `{"name":1,"kind":2,"tasks":3,"${name}":4}`;
      expect(duplicateName(membersOf(text), new Set(['name', 'kind', 'tasks']))).toBeDefined();
      expect(duplicateName(membersOf(text), new Set())).toBeUndefined();
    },
  );
});

describe('a JSON object with many changes', () => {
  it('is changed in as many steps for each member, however many are changed or added', () => {
    /** Names that are read while half of these members are changed and as many are added. */
    const reads = (count: number): number => {
      const text = JSON.stringify(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index])),
      );
      let found = 0;
      const name = (prefix: string, index: number): JsonChange => ({
        get path() {
          found += 1;
          return [`${prefix}${index}`];
        },
        value: 'x',
      });
      const changes = Array.from({ length: count }, (_, index) => name(index % 2 === 0 ? 'k' : 'new', index));
      const compared = vi.spyOn(Array.prototype, 'findLast');
      const searched = vi.spyOn(Array.prototype, 'some');
      changeText(text, changes);
      const calls = compared.mock.calls.length + searched.mock.calls.length;
      compared.mockRestore();
      searched.mockRestore();
      return found + calls * count;
    };
    expect(reads(2_000) / reads(1_000)).toBeLessThan(2.5);
  });
});

it('the first member of a name is found without what follows it', () => {
  expect(firstMember(' {"a":[1,{"b":2}],"\\u0062":3,"b":4} ', 'b')).toBe('3');
  expect(firstMember('{"a":{"id":1},"id":"2"}', 'id')).toBe('"2"');
  for (const text of ['{}', '[{"id":1}]', '', '{"id"', '{"x":1']) expect(firstMember(text, 'id') ?? '').toBe('');
});

it('a member that occurs once is replaced as if it was changed, and any other is not', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'ab', '__proto__', 'quo"te');
  const members = fc.array(fc.tuple(names, fc.boolean(), fc.jsonValue({ maxDepth: 2 })));
  const write = ([name, isEscaped, value]: readonly [string, boolean, unknown]): string => {
    const key = JSON.stringify(name);
    return `${isEscaped ? key.replaceAll('a', '\\u0061') : key} : ${JSON.stringify(value)}`;
  };
  fc.assert(
    fc.property(members, names, (written, name) => {
      const text = ` { ${written.map(write).join(' ,\n')} } `;
      const count = written.filter(([other]) => other === name).length;
      const replaced = replaceMember(text, name, '"new"');
      expect(replaced === undefined).toBe(count !== 1);
      if (replaced === undefined) return;
      expect(JSON.parse(replaced)).toEqual(JSON.parse(changeText(text, [{ path: [name], value: 'new' }])));
    }),
  );
});
