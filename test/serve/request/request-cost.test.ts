import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LimitExceeded, RequestCost, RequestCostMeter } from '../../../src/serve/request/request-cost.ts';
import { decodeRequest, deltaFields } from '../../../src/serve/request/request-decoder.ts';
import { deltaRequest, lengthDelimited } from '../../support/nodes/requests.ts';

const nothing = Buffer.alloc(0);
const text = fc.string({ maxLength: 20 });
const limit = 1_000;
const limits = { maxNames: limit, maxInitialVersions: () => 3 * limit };
const decoded = (bytes: Buffer): string | undefined => {
  const request = decodeRequest(bytes, deltaFields, limits);
  return request.kind === 'limit-exceeded' ? request.message : undefined;
};
/** Meters the bytes, cut into chunks at these offsets. */
const metered = (bytes: Buffer, cuts: readonly number[]): string | undefined => {
  const meter = new RequestCostMeter(new RequestCost(deltaFields, limits));
  const offsets = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let found: LimitExceeded | undefined;
  for (const [index, offset] of offsets.entries()) found ??= meter.add(bytes, offset, offsets[index + 1] ?? offset);
  return found?.message;
};

it('a request costs as much as the larger of its lists of names, in one chunk and in many', () => {
  const list = fc.array(text, { maxLength: 15 });
  fc.assert(
    fc.property(list, list, text, fc.array(fc.nat()), (subscribe, unsubscribe, id, cuts) => {
      const costOf = (names: readonly string[]): number =>
        names.reduce((sum, each) => sum + Buffer.byteLength(each) + 64, 0);
      const bytes = deltaRequest({
        node: { id, metadata: { subscribe } },
        typeUrl: 'type.test',
        resourceNamesSubscribe: subscribe,
        resourceNamesUnsubscribe: unsubscribe,
        initialResourceVersions: Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`${id}${index}`, 'x'])),
        errorDetail: { code: 300, message: id.repeat(100) },
      });
      const tooMany = Math.max(costOf(subscribe), costOf(unsubscribe)) > limit;
      const expected = tooMany ? 'too many names: a subscription to one type may take 1000 bytes' : undefined;
      expect(decoded(bytes)).toBe(expected);
      expect(metered(bytes, cuts)).toBe(expected);
    }),
  );
});

it.each([
  ['a varint', [0x60, 0xff, 0x01]],
  ['a fixed64', [0x61, 1, 2, 3, 4, 5, 6, 7, 8]],
  ['a fixed32', [0x65, 1, 2, 3, 4]],
  ['a string', [0x62, 2, 0x1a, 0x1a]],
  ['a group', [0x63, 0x60, 0x01, 0x64]],
])('the names of a request are charged after an unknown field: %s', (_, field) => {
  const names = (count: number): Buffer =>
    Buffer.concat([Buffer.from(field), ...Array.from({ length: count }, () => lengthDelimited(3, Buffer.alloc(6)))]);
  const tooMany = 'too many names: a subscription to one type may take 1000 bytes';
  expect([decoded(names(14)), metered(names(14), [])]).toEqual([undefined, undefined]);
  expect([decoded(names(15)), metered(names(15), [3, 11])]).toEqual([tooMany, tooMany]);
});

it.each([
  ['that are unknown', lengthDelimited(8, nothing)],
  ['that repeat a singular field', lengthDelimited(1, nothing)],
  ['that are varints', Buffer.from([0x60, 1])],
])('each field of a request is charged, also those %s', (_, field) => {
  const fields = (count: number): Buffer => Buffer.alloc(count * field.length, field);
  expect([decoded(fields(15)), metered(fields(15), [])]).toEqual([undefined, undefined]);
  const tooMany = 'the request has too many fields';
  expect([decoded(fields(16)), metered(fields(16), [5])]).toEqual([tooMany, tooMany]);
});

it('a request with a node of more than 256 KiB exceeds the limit', () => {
  const node = (bytes: number): Buffer => lengthDelimited(1, lengthDelimited(1, Buffer.alloc(bytes - 4, 'x')));
  expect([decoded(node(256 << 10)), metered(node(256 << 10), [])]).toEqual([undefined, undefined]);
  const tooMuch = 'a node may say 262144 bytes of itself';
  expect([decoded(node((256 << 10) + 1)), metered(node((256 << 10) + 1), [9])]).toEqual([tooMuch, tooMuch]);
});

it('the meter stops at malformed bytes, which the decoder reports', () => {
  const names = Array.from({ length: 100 }, () => lengthDelimited(3, Buffer.alloc(60)));
  expect(metered(Buffer.concat([Buffer.from([0x67]), ...names]), [])).toBeUndefined();
  expect(metered(Buffer.concat([Buffer.alloc(20, 0xff), ...names]), [])).toBeUndefined();
});

it('initial versions have a limit of their own, which is read for each request', () => {
  const versions = (count: number): Buffer =>
    deltaRequest({
      initialResourceVersions: Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, ''])),
    });
  expect([decoded(versions(22)), metered(versions(22), [])]).toEqual([undefined, undefined]);
  const tooMuch = 'the node says that it holds far more than there is: it may take 3000 bytes';
  expect([decoded(versions(24)), metered(versions(24), [7])]).toEqual([tooMuch, tooMuch]);
});
