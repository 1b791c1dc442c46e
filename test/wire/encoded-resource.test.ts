import { beforeEach, expect, it } from 'vitest';
import { DeltaDiscoveryResponse, DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { encode, encodeResource } from '../../src/wire/encoded-resource.ts';

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

it.each([1, 100, 127, 128, 16_384, 3_000_000])('encodes a message of %i bytes as both responses have it', (length) => {
  const value = Buffer.alloc(length, 'm');
  const { version, deltaField, sotwField } = encodeResource('type.test/T', 'ns/name', value);
  const resource = { typeUrl: 'type.test/T', value };
  const delta = DeltaDiscoveryResponse.fromPartial({ resources: [{ name: 'ns/name', version, resource }] });
  expect(deltaField.equals(DeltaDiscoveryResponse.encode(delta).finish())).toBe(true);
  const sotw = DiscoveryResponse.fromPartial({ resources: [resource] });
  expect(sotwField.equals(DiscoveryResponse.encode(sotw).finish())).toBe(true);
});
