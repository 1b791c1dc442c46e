import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/gateway/rpc/model.ts';
import { changed, encodeMessage, encodePieces, ListWriter } from '../../../src/gateway/rpc/source-text.ts';
import { parseMessages } from '../../../src/gateway/upstream/transport/message.ts';
import { objectsOf } from '../../../src/json/json.ts';

/** The message of a target's text, whose longest string is as long as the text. */
function parsed(text: string): Message {
  const [message] = parseMessages({ text, longestString: text.length }).messages;
  if (message === undefined) throw new Error('no message');
  return message;
}

const textOf = (content: string): string => `{"jsonrpc":"2.0","id":1,"result":{"content":[${content}]}}`;

describe('a large message of a target', () => {
  it('is passed on as it was written, although its files are not in the parsed value', () => {
    const file = `${'x'.repeat(100_000)}\\u00e9\\/${'é😀'.repeat(300_000)}`;
    const members = ['text', 'data', 'blob'].map((name) => `{"type":"resource","n":1e400,"${name}":"${file}"}`);
    const text = textOf(members.join(','));
    const message = parsed(text);
    expect(encodeMessage(message)).toBe(text);
    const content = objectsOf('result' in message ? message.result['content'] : undefined);
    expect(content.map(({ text: own, data, blob }) => own ?? data ?? blob)).toEqual(['', '', '']);
    expect(content.map(({ type }) => type)).toEqual(['resource', 'resource', 'resource']);
  });

  it('is none when a file in it is no string of JSON', () => {
    const file = `${'x'.repeat(100_000)}\\x`;
    expect(parseMessages({ text: textOf(`{"text":"${file}"}`), longestString: 100_002 }).messages).toEqual([]);
  });

  it('is written in pieces that are not larger than the buffers that are freed at once, nor cut a character in two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('x', 'é', '😀', '\\n'), fc.integer({ min: 1, max: 400_000 })), {
          maxLength: 3,
        }),
        (runs) => {
          const text = textOf(`{"text":"${runs.map(([unit, times]) => unit.repeat(times)).join('')}"}`);
          const pieces = encodePieces(parsed(text));
          expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(256 * 1024);
          expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString()).toBe(text);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is one line whatever white space it has', () => {
    const text = `{"jsonrpc":"2.0",\r\n"id":1,"result":{\n"a":\r[1,\n2]}}`;
    const encoded = encodePieces(parsed(text)).join('');
    expect([encoded.includes('\n'), encoded.includes('\r'), JSON.parse(encoded)]).toEqual([
      false,
      false,
      JSON.parse(text),
    ]);
  });
});

describe('a result of a target that is changed', () => {
  it('is changed twice as its value is, and nothing of it is lost', () => {
    const file = 'é'.repeat(300_000);
    const added = [{ path: ['resultType'], value: 'complete' }];
    const renamed = [{ path: ['content', 0, 'uri'], value: 'b' }];
    fc.assert(
      fc.property(
        fc.constantFrom('', ',"resultType":"x"', ',"\\u0072esultType":{}'),
        fc.constantFrom('', ' ', '\n'),
        fc.constantFrom([added, renamed], [renamed, added], [added, added]),
        (member, space, changes) => {
          const text = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"uri":"a","n":1e400,"blob":"${file}"}]${member}${space}}}`;
          const message = parsed(text);
          if (!('result' in message)) throw new Error('no result');
          const result = changes.reduce((value, some) => changed(value, some), message.result);
          const written = JSON.parse(encodePieces({ ...message, result }).join('')).result;
          expect(written.content[0].blob).toBe(file);
          expect([written.resultType, written.content[0].uri]).toEqual([
            result['resultType'],
            objectsOf(result['content'])[0]?.['uri'],
          ]);
          expect(encodePieces({ ...message, result }).join('')).toContain('1e400');
        },
      ),
    );
  });

  it.each(['{}', '{ }', '{"a":1 }', '{"a":{}}'])('gets a new member although it is %s', (text) => {
    const message = parsed(`{"jsonrpc":"2.0","id":1,"result":${text}}`);
    if (!('result' in message)) throw new Error('no result');
    const result = changed(message.result, [{ path: ['new'], value: 1 }]);
    expect(JSON.parse(encodeMessage({ ...message, result }))).toEqual({
      ...message,
      result: { ...JSON.parse(text), new: 1 },
    });
  });
});

it('a list that is written one element after another has the text of each on one line, in pieces of one size', () => {
  const texts = Array.from({ length: 600 }, (_, index) => `{"n": ${index}.0,\n"x":"${'x'.repeat(1_000)}"}`);
  texts.push(`{"x":"${'y'.repeat(600_000)}"}`, '{"last":1}');
  const writer = new ListWriter();
  for (const text of texts) writer.add({ json: JSON.parse(text), text });
  writer.add({ json: { made: 1 }, text: undefined });
  const pieces = encodePieces({ jsonrpc: '2.0', id: 1, result: { tools: writer.list() } });
  const tools = [...texts, '{"made":1}'].join(',').replaceAll('\n', ' ');
  expect(pieces.join('')).toBe(`{"jsonrpc":"2.0","id":1,"result":{"tools":[${tools}]}}`);
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(256 * 1024);
  const empty = { jsonrpc: '2.0', id: 1, result: { tools: new ListWriter().list() } } as const;
  expect(encodePieces(empty)).toEqual(['{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}']);
});
