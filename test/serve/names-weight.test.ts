import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeltaDiscoveryRequest } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { namesWeighMore } from '../../src/serve/names-weight.ts';

const subscribe = 3;
const unsubscribe = 4;
const encode = (fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer =>
  Buffer.from(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish());
const both = (bytes: Buffer, limit: number): boolean => namesWeighMore(bytes, [subscribe, unsubscribe], limit);
/** One name: its tag and its length, and so many bytes. */
const name = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from([(subscribe << 3) | 2, bytes]), Buffer.alloc(bytes)]);

it('names weigh what the heavier of the two lists weighs, whatever else a request says', () => {
  const names = fc.array(fc.string({ maxLength: 20 }), { maxLength: 20 });
  fc.assert(
    fc.property(names, names, fc.string({ maxLength: 300 }), (wanted, unwanted, id) => {
      const weigh = (list: readonly string[]): number =>
        list.reduce((sum, each) => sum + Buffer.byteLength(each) + 64, 0);
      const bytes = encode({
        node: { id, metadata: { wanted } },
        typeUrl: 'type.test',
        resourceNamesSubscribe: wanted,
        resourceNamesUnsubscribe: unwanted,
        initialResourceVersions: { [id]: 'x' },
        errorDetail: { code: 300, message: id },
      });
      const weight = Math.max(weigh(wanted), weigh(unwanted));
      expect(both(bytes, weight)).toBe(false);
      if (weight > 0) expect(both(bytes, weight - 1)).toBe(true);
    }),
  );
});

it.each([
  ['a number', [0x60, 0xff, 0x01]],
  ['eight bytes', [0x61, 1, 2, 3, 4, 5, 6, 7, 8]],
  ['four bytes', [0x65, 1, 2, 3, 4]],
  ['a group', [0x63, 0x60, 0x01, 0x64]],
  ['a text', [0x62, 2, 0x1a, 0x1a]],
])('a field that nobody knows hides no names behind it: %s', (_, field) => {
  const bytes = Buffer.concat([Buffer.from(field), ...Array.from({ length: 10 }, () => name(6))]);
  expect(both(bytes, 699)).toBe(true);
  expect(both(bytes, 700)).toBe(false);
});

it.each([
  ['a wire type that does not exist', Buffer.from([0x67, 1])],
  ['a length beyond the end', Buffer.from([0x62, 100])],
  ['a length without an end', Buffer.from([0x1a, 0xff, 0xff, 0xff])],
  ['a name that is cut off', name(60).subarray(0, 30)],
])('what is no message is left to the decoder: %s', (_, bytes) => {
  expect(both(bytes, 1)).toBe(false);
  expect(both(Buffer.concat([name(1), name(1), bytes]), 129)).toBe(true);
});
