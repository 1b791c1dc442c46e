import { beforeEach, expect, it } from 'vitest';
import { encode } from '../../src/wire/encoded-resource.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

beforeEach(() => {
  // Creates the spare writer.
  encode((writer) => void writer.raw(Buffer.from('before')));
});

it('drops the bytes of a message whose encoding threw', () => {
  const fails = (): Uint8Array =>
    encode((writer) => {
      writer.raw(Buffer.from('half'));
      throw new Error('on purpose');
    });
  expect(fails).toThrow('on purpose');
  expect(text(encode((writer) => void writer.raw(Buffer.from('whole'))))).toBe('whole');
});

it('encodes a message within the encoding of another one', () => {
  const outer = encode((writer) => {
    writer.raw(Buffer.from('a'));
    const inner = encode((other) => void other.raw(Buffer.from('b')));
    writer.raw(inner).raw(Buffer.from('c'));
  });
  expect(text(outer)).toBe('abc');
});
