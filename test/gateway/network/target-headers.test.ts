import { describe, expect, it } from 'vitest';
import { decodeTargetHeaders } from '../../../src/gateway/network/target-headers.ts';

const decode = (json: unknown): unknown =>
  Array.from(decodeTargetHeaders(JSON.stringify(json)), ([target, headers]) => [target, [...headers]]);

/** A value that no message may contain. */
const secret = 'hunter2hunter2';

describe('a file with headers of targets', () => {
  it('has headers by target, whose names are compared in lower case', () => {
    expect(
      decode({ 'a/x': { Authorization: 'Bearer t', 'x-tenant': 'é'.length === 1 ? 'a b' : '' }, 'a/y': {} }),
    ).toEqual([
      [
        'a/x',
        [
          ['authorization', 'Bearer t'],
          ['x-tenant', 'a b'],
        ],
      ],
      ['a/y', []],
    ]);
  });

  it.each([
    [`{"a/x": {"a": "1"}, "a/x": {"b": "${secret}"}}`, '"a/x" is there twice'],
    [`{"a/x": {"a": "1", "a": "${secret}"}}`, '"a/x.a" is there twice'],
  ])('with a member twice is refused: %s', (text, message) => {
    expect(() => decodeTargetHeaders(text)).toThrow(message);
    expect(() => decodeTargetHeaders(text)).not.toThrow(secret);
  });

  it.each<[string, unknown, string]>([
    ['a list', [], 'it must be an object'],
    ['a name that is no target', { tool: {} }, '"tool" is no target; write its name as /targets has it'],
    ['all targets at once', { '*': { a: secret } }, '"*" is no target'],
    ['a text for a target', { 'a/x': secret }, '"a/x" must be an object'],
    ['a number as value', { 'a/x': { a: 1 } }, '"a/x": "a" has a value that is no text'],
    ['a line break in a value', { 'a/x': { a: `${secret}\r\nhost: b` } }, '"a/x": "a" has a line break'],
    ['a line break at the end of a value', { 'a/x': { a: `${secret}\n` } }, '"a/x": "a" has a line break'],
    ['a value with a NUL', { 'a/x': { a: `${secret}\0` } }, '"a/x": "a" begins or ends with a blank, or has something'],
    ['a value beyond ASCII', { 'a/x': { a: `${secret}é` } }, 'has something else than visible ASCII'],
    ['an empty value', { 'a/x': { a: '' } }, '"a/x": "a" is empty'],
    ['a value that is too long', { 'a/x': { a: secret.repeat(1_000) } }, 'has more than 8192 characters'],
    ['a line break in a name', { 'a/x': { 'a\r\nb': secret } }, 'is no name of a header'],
    ['a name twice', { 'a/x': { a: secret, A: secret } }, '"a/x": "A" is there twice'],
    ['a header of MCP', { 'a/x': { 'Mcp-Session-Id': secret } }, 'says something about the messages of MCP'],
    ['a header of one connection', { 'a/x': { 'Transfer-Encoding': secret } }, 'is about one connection or message'],
    ['another host', { 'a/x': { Host: secret } }, 'is about one connection or message'],
    [
      'too many headers',
      { 'a/x': Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`h${index}`, secret])) },
      '"a/x": has more than 32 headers',
    ],
    ['something deeper', { 'a/x': { a: { b: { c: secret } } } }, 'is no JSON of an object'],
  ])('with %s is refused, and no value is repeated', (_, json, message) => {
    expect(() => decode(json)).toThrow(message);
    expect(() => decode(json)).not.toThrow(secret);
  });
});
