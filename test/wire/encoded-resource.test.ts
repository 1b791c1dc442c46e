import { beforeEach, expect, it } from 'vitest';
import { encode } from '../../src/wire/encoded-resource.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

beforeEach(() => {
  // There is a writer to be used again.
  encode((writer) => void writer.raw(Buffer.from('before')));
});

it('what was written before a failure is not the beginning of the next message', () => {
  const fails = (): Uint8Array =>
    encode((writer) => {
      writer.raw(Buffer.from('half'));
      throw new Error('on purpose');
    });
  expect(fails).toThrow('on purpose');
  expect(text(encode((writer) => void writer.raw(Buffer.from('whole'))))).toBe('whole');
});

it('a message may be encoded while another one is', () => {
  const outer = encode((writer) => {
    writer.raw(Buffer.from('a'));
    const inner = encode((other) => void other.raw(Buffer.from('b')));
    writer.raw(inner).raw(Buffer.from('c'));
  });
  expect(text(outer)).toBe('abc');
});
