import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Excess, RequestWeight } from '../../../src/serve/request/request-cost.ts';
import { readRequest } from '../../../src/serve/request/request-decoder.ts';
import { deltaFields } from '../../../src/serve/request/request-fields.ts';
import { RequestGauge } from '../../../src/serve/request/request-gauge.ts';
import { deltaRequest, lengthDelimited } from '../../support/nodes/requests.ts';

const nothing = Buffer.alloc(0);
const text = fc.string({ maxLength: 20 });
const limit = 1_000;
const limits = { maxNames: limit, maxReported: () => 2 * limit };
const excess = (bytes: Buffer): string | undefined => {
  const request = readRequest(bytes, deltaFields, limits);
  return request.kind === 'excessive' ? request.message : undefined;
};
/** What is said of it while it arrives, cut at these places. */
const arriving = (bytes: Buffer, cuts: readonly number[]): string | undefined => {
  const gauge = new RequestGauge(new RequestWeight(deltaFields, limits));
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let found: Excess | undefined;
  for (const [index, place] of places.entries()) found ??= gauge.take(bytes, place, places[index + 1] ?? place);
  return found?.message;
};

it('a request weighs what the heavier of its lists of names weighs, whatever else it says, in one piece and in many', () => {
  const list = fc.array(text, { maxLength: 15 });
  fc.assert(
    fc.property(list, list, text, fc.array(fc.nat()), (wanted, unwanted, id, cuts) => {
      const weigh = (names: readonly string[]): number =>
        names.reduce((sum, each) => sum + Buffer.byteLength(each) + 64, 0);
      const bytes = deltaRequest({
        node: { id, metadata: { wanted } },
        typeUrl: 'type.test',
        resourceNamesSubscribe: wanted,
        resourceNamesUnsubscribe: unwanted,
        initialResourceVersions: Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`${id}${index}`, 'x'])),
        errorDetail: { code: 300, message: id.repeat(100) },
      });
      const tooMany = Math.max(weigh(wanted), weigh(unwanted)) > limit;
      const expected = tooMany ? 'too many names: a subscription to one type may take 1000 bytes' : undefined;
      expect(excess(bytes)).toBe(expected);
      expect(arriving(bytes, cuts)).toBe(expected);
    }),
  );
});

it.each([
  ['a number', [0x60, 0xff, 0x01]],
  ['eight bytes', [0x61, 1, 2, 3, 4, 5, 6, 7, 8]],
  ['four bytes', [0x65, 1, 2, 3, 4]],
  ['a text', [0x62, 2, 0x1a, 0x1a]],
  ['a group', [0x63, 0x60, 0x01, 0x64]],
])('a request weighs its names also behind a field that nobody knows: %s', (_, field) => {
  const names = (count: number): Buffer =>
    Buffer.concat([Buffer.from(field), ...Array.from({ length: count }, () => lengthDelimited(3, Buffer.alloc(6)))]);
  const tooMany = 'too many names: a subscription to one type may take 1000 bytes';
  expect([excess(names(14)), arriving(names(14), [])]).toEqual([undefined, undefined]);
  expect([excess(names(15)), arriving(names(15), [3, 11])]).toEqual([tooMany, tooMany]);
});

it.each([
  ['that nobody reads', lengthDelimited(8, nothing)],
  ['that are repeated and may not be', lengthDelimited(1, nothing)],
  ['that are numbers', Buffer.from([0x60, 1])],
])('a request weighs something for each of its fields, also those %s', (_, field) => {
  const fields = (count: number): Buffer => Buffer.alloc(count * field.length, field);
  expect([excess(fields(15)), arriving(fields(15), [])]).toEqual([undefined, undefined]);
  const tooMany = 'the request has too many fields';
  expect([excess(fields(16)), arriving(fields(16), [5])]).toEqual([tooMany, tooMany]);
});

it('a request weighs too much with a node that says more than 256 KiB of itself', () => {
  const node = (bytes: number): Buffer => lengthDelimited(1, lengthDelimited(1, Buffer.alloc(bytes - 4, 'x')));
  expect([excess(node(256 << 10)), arriving(node(256 << 10), [])]).toEqual([undefined, undefined]);
  const tooMuch = 'a node may say 262144 bytes of itself';
  expect([excess(node((256 << 10) + 1)), arriving(node((256 << 10) + 1), [9])]).toEqual([tooMuch, tooMuch]);
});

it('a request weighs nothing while it arrives once it is no message: whoever reads it will say so', () => {
  const names = Array.from({ length: 100 }, () => lengthDelimited(3, Buffer.alloc(60)));
  expect(arriving(Buffer.concat([Buffer.from([0x67]), ...names]), [])).toBeUndefined();
  expect(arriving(Buffer.concat([Buffer.alloc(20, 0xff), ...names]), [])).toBeUndefined();
});

it('a request weighs what it says the node holds by itself, and how much that may be is asked when it is known', () => {
  const holds = (count: number): Buffer =>
    deltaRequest({
      initialResourceVersions: Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, ''])),
    });
  expect([excess(holds(28)), arriving(holds(28), [])]).toEqual([undefined, undefined]);
  const tooMuch = 'the node says that it holds far more than there is: it may take 2000 bytes';
  expect([excess(holds(30)), arriving(holds(30), [7])]).toEqual([tooMuch, tooMuch]);
});
