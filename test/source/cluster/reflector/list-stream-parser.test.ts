import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../../src/json/json.ts';
import { maxObjectBytes } from '../../../../src/kube/object-limits.ts';
import type { ObjectText } from '../../../../src/source/cluster/api/object.ts';
import { ListStreamParser } from '../../../../src/source/cluster/reflector/list-stream-parser.ts';

interface Parsed {
  readonly items: readonly unknown[];
  readonly list: unknown;
}

/** Parses a text in chunks of this many bytes. */
function parse(text: string, size = 7): Parsed {
  const items: unknown[] = [];
  const parser = new ListStreamParser(({ text }) => {
    const parsed = parseJson(text);
    if (parsed !== undefined) items.push(parsed.value);
    return parsed !== undefined;
  });
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) {
    if (!parser.push(bytes.subarray(from, from + size))) return { items, list: undefined };
  }
  return { items, list: parser.finish() };
}

describe('a list', () => {
  it('yields its items and the rest, however it is split into chunks', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    const list = fc.record({
      kind: fc.string({ unit: 'binary' }),
      metadata: object,
      items: fc.array(object),
      last: fc.jsonValue(),
    });
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 40 }), fc.boolean(), (value, size, pretty) => {
        const text = JSON.stringify(value, undefined, pretty ? 2 : undefined);
        const written: typeof value = JSON.parse(text);
        const { items, list } = parse(text, size);
        expect(items).toEqual(written.items);
        expect(list).toEqual({ ...written, items: written.items.slice(0, 1).map(() => null) });
      }),
    );
  });

  it.each([
    ['with its items last', '{"kind":"L","items":[{"a":1}]}'],
    ['with its items first', '{"items":[{"a":1}],"kind":"L"}'],
    ['that has items in other places, too', '{"kind":"L","metadata":{"items":[{"b":2}]},"items":[{"a":1}]}'],
    ['in which a value is called items', '{"kind":"items","items":[{"a":1}]}'],
  ])('%s', (_what, text) => {
    expect(parse(text).items).toEqual([{ a: 1 }]);
    expect(parse(text).list).toMatchObject({ items: [null] });
  });

  it.each([
    ['null', '{"kind":"L","items":null}'],
    ['left out', '{"kind":"L"}'],
    ['empty', '{"kind":"L","items":[]}'],
  ])('is empty when its items are %s', (_what, text) => {
    expect(parse(text)).toMatchObject({ items: [], list: { kind: 'L' } });
  });
});

describe('a text', () => {
  it.each([
    ['ends too early', '{"items":[{"a":1}'],
    ['ends in an item', '{"items":[{"a":'],
    ['has an item that is a number', '{"items":[{"a":1},0]}'],
    ['has an item that is null', '{"items":[null]}'],
    ['has an item that is no JSON', '{"items":[{"a":1,}]}'],
    ['has no comma between two', '{"items":[{"a":1}{"a":2}]}'],
    ['has two commas between two', '{"items":[{"a":1},,{"a":2}]}'],
    ['has a comma before the first', '{"items":[,{"a":1}]}'],
    ['has a comma after the last', '{"items":[{"a":1},]}'],
    ['has a comma instead of items', '{"items":[,]}'],
    ['has a no-break space between two', '{"items":[{"a":1},\u00a0{"a":2}]}'],
    ['has items twice, of which the second are none in another spelling', '{"items":[{"a":1}],"it\\u0065ms":[]}'],
    ['closes its items with another bracket', '{"items":[{"a":1}}}'],
    ['has a sign before an item', '{"items":[{"a":1},-{"a":2}]}'],
    ['has digits after an item', '{"items":[{"a":1}.0]}'],
    ['has an exponent after an item', '{"items":[{"a":1}e9]}'],
    ['has digits before an item', '{"items":[0.{"a":1}]}'],
    ['has a word around an item', '{"items":[nul{"a":1}]}'],
    ['begins with a byte order mark', '\ufeff{"items":[]}'],
    ['has items twice, of which the second are made up', '{"items":[{"a":1}],"items":[null]}'],
    ['has items twice, of which the first are none', '{"items":[],"items":[{"a":1}]}'],
    ['has items twice', '{"items":[{"a":1}],"items":[{"a":2},{"a":3}]}'],
    ['has items in an object', '{"items":{"a":{}}}'],
    ['calls them by another spelling', '{"\\u0069tems":[{"a":1}]}'],
    ['closes what was not open', '}]{"items":[]}'],
    ['is followed by something', '{"items":[]}{}'],
    ['is a list of JSON only', '[{"a":1}]'],
    ['is empty', ''],
  ])('is no list when it %s', (_what, text) => {
    expect(parse(text).list).toBeUndefined();
  });

  it('is no list when an item is rejected, and no further item is passed on', () => {
    const taken: unknown[] = [];
    const parser = new ListStreamParser(({ text }) => taken.push(JSON.parse(text)) < 2);
    expect(parser.push(Buffer.from('{"items":[{"a":1},{"a":2},{"a":3}]}'))).toBe(false);
    expect(taken).toEqual([{ a: 1 }, { a: 2 }]);
    expect(parser.finish()).toBeUndefined();
  });

  it('may be larger than the largest object, and of a larger item only the beginning is kept', () => {
    const item = Buffer.from(`{"text":"${'x'.repeat(2 ** 20)}"},`);
    const taken: ObjectText[] = [];
    const parser = new ListStreamParser((one) => taken.push(one) > 0);
    parser.push(Buffer.from('{"items":['));
    for (let at = 0; at < 40; at += 1) expect(parser.push(item)).toBe(true);
    parser.push(Buffer.from('{"text":"'));
    const long = Buffer.alloc(2 ** 20, 'x');
    for (let at = 0; at < 100; at += 1) expect(parser.push(long)).toBe(true);
    parser.push(Buffer.from('"}]}'));
    expect(parser.finish()).toBeDefined();
    expect(taken).toHaveLength(41);
    expect(taken.at(-1)?.bytes).toBe(100 * 2 ** 20 + '{"text":""}'.length);
    expect(taken.at(-1)?.text.length).toBeLessThanOrEqual(maxObjectBytes + 2 ** 20);
  });
});

describe('what a list has besides its items', () => {
  it('makes it none when it goes on for ever', () => {
    const parser = new ListStreamParser(() => true);
    parser.push(Buffer.from('{"metadata":{"continue":"'));
    const endless = Buffer.alloc(2 ** 14, 'x');
    let pushed = 0;
    while (parser.push(endless)) pushed += 1;
    expect(pushed).toBe(3);
  });

  it('makes it none when it has a thousand values, which is found without parsing it', () => {
    const parser = new ListStreamParser(() => true);
    const keys = Array.from({ length: 1_000 }, (_, index) => `"${index}":0`);
    expect(parser.push(Buffer.from(`{"metadata":{${keys.join(',')}},"items":[]}`))).toBe(true);
    expect(parser.finish()).toBeUndefined();
  });
});
