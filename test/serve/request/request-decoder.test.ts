import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryRequest, DiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { readRequest } from '../../../src/serve/request/request-decoder.ts';
import { stateOfTheWorldFields } from '../../../src/serve/request/request-fields.ts';
import {
  deltaRequest,
  lengthDelimited,
  noLimits,
  readDelta,
  stateOfTheWorldRequest,
} from '../../support/nodes/requests.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const texts = fc.array(text, { maxLength: 20 });
const nothing = Buffer.alloc(0);
const nodeTag = (1 << 3) | 2;
const locatorTags = [(8 << 3) | 2, (9 << 3) | 2];

/** Fields of every wire type, of numbers that no request has. */
const unknownField = fc.constantFrom(
  Buffer.from([0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0x79, 1, 2, 3, 4, 5, 6, 7, 8]),
  Buffer.from([0x7d, 1, 2, 3, 4]),
  Buffer.from([0x7b, 0x73, 0x78, 0x01, 0x74, 0x1a, 1, 0x1a, 0x7c]),
  Buffer.from([0xfa, 0xff, 0xff, 0xff, 0x0f, 2, 0x1a, 0x1a]),
  // A number that a request has, in a wire type that it does not have there.
  Buffer.from([0x18, 0x05]),
  Buffer.from([0x35, 1, 2, 3, 4]),
);

describe('a request', () => {
  const said = fc.record({
    node: fc.option(fc.record({ id: text, metadata: fc.dictionary(text, fc.oneof(text, fc.boolean(), texts)) })),
    typeUrl: text,
    responseNonce: text,
    errorDetail: fc.option(
      fc.record({ code: fc.nat(), message: text, details: fc.array(fc.record({ typeUrl: text })) }),
    ),
    names: texts,
    others: texts,
  });

  it('is read as a decoder reads it, whatever else stands in it', () => {
    fc.assert(
      fc.property(said, unknownField, ({ node, errorDetail, names, others, ...rest }, unknown) => {
        const common = { ...rest, node: node ?? undefined, errorDetail: errorDetail ?? undefined };
        const delta = deltaRequest({ ...common, resourceNamesSubscribe: names, resourceNamesUnsubscribe: others });
        const decoded = DeltaDiscoveryRequest.decode(Buffer.concat([unknown, delta, unknown]));
        expect(readDelta(Buffer.concat([unknown, delta, unknown]))).toMatchObject({
          node: decoded.node,
          typeUrl: decoded.typeUrl,
          nonce: decoded.responseNonce,
          refusal: decoded.errorDetail?.message,
          wanted: decoded.resourceNamesSubscribe,
          unwanted: decoded.resourceNamesUnsubscribe,
          versions: undefined,
        });
        const state = stateOfTheWorldRequest({ ...common, resourceNames: names, versionInfo: '7' });
        const { node: its, typeUrl, responseNonce } = DiscoveryRequest.decode(state);
        expect(readRequest(Buffer.concat([state, unknown]), stateOfTheWorldFields, noLimits)).toMatchObject({
          node: its,
          typeUrl,
          nonce: responseNonce,
          refusal: errorDetail?.message,
          wanted: names,
          unwanted: [],
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is of the node, the type, the nonce and the error that stand last in it', () => {
    const both = Buffer.concat(
      ['first', 'last'].map((word) =>
        deltaRequest({ node: { id: word }, typeUrl: word, responseNonce: word, errorDetail: { message: word } }),
      ),
    );
    expect(readDelta(both)).toMatchObject({ node: { id: 'last' }, typeUrl: 'last', nonce: 'last', refusal: 'last' });
  });
});

describe('bytes', () => {
  it('are read or refused, never misread, when they are garbage', () => {
    // A message in the message that ends before its length makes the generated decoder go on in the middle of it.
    const other = fc.nat(255).filter((byte) => ![nodeTag, ...locatorTags].includes(byte));
    const bytes = fc.array(fc.oneof(fc.constantFrom(42, 18, 26, 50, 58, 2, 3, 0), other), { maxLength: 24 });
    fc.assert(
      fc.property(bytes, (values) => {
        const garbage = Buffer.from(values);
        const read = attempt(() => readDelta(garbage));
        const decoded = attempt(() => DeltaDiscoveryRequest.decode(garbage));
        if (read === undefined || decoded === undefined) return;
        expect([read.typeUrl, read.nonce, read.wanted, read.unwanted, read.refusal]).toEqual([
          decoded.typeUrl,
          decoded.responseNonce,
          decoded.resourceNamesSubscribe,
          decoded.resourceNamesUnsubscribe,
          decoded.errorDetail?.message,
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a wire type that does not exist', [0x67, 1]],
    ['a field of the number 0', [0x02, 0]],
    ['a length beyond the end', [0x62, 100]],
    ['a length without an end', [0x1a, 0xff, 0xff, 0xff]],
    ['a length that never ends', [0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a number without an end', [0x60, 0xff]],
    ['a number that never ends', [0x60, ...Array.from({ length: 12 }, () => 0xff), 1]],
    ['four bytes that are three', [0x65, 1, 2, 3]],
    ['eight bytes that are none', [0x61]],
    ['a group that does not end', [0x63, 0x60, 0x01]],
    ['a group that ends as another', [0x63, 0x6c]],
    ['the end of a group that did not begin', [0x64]],
  ])('are no request with %s', (_, bytes) => {
    expect(() => readDelta(Buffer.from(bytes))).toThrow(/./);
  });

  it('are read with groups in groups, a hundred deep and no deeper', () => {
    const read = (depth: number): object =>
      readDelta(Buffer.concat([Buffer.alloc(depth, 0x63), Buffer.alloc(depth, 0x64), deltaRequest({ typeUrl: 'a' })]));
    expect(read(100)).toMatchObject({ typeUrl: 'a' });
    expect(() => read(101)).toThrow('too deep');
  });
});

describe('the error of a request', () => {
  it('is its message, and nothing is made of the details', () => {
    const details = Buffer.alloc(2 << 20, lengthDelimited(3, nothing));
    const before = lengthDelimited(7, Buffer.concat([lengthDelimited(2, Buffer.from('no')), details]));
    expect(readDelta(before).refusal).toBe('no');
    // Nobody writes them in this order; what is behind them is not looked for, and it is a refusal all the same.
    const behind = lengthDelimited(7, Buffer.concat([details, lengthDelimited(2, Buffer.from('no'))]));
    expect(readDelta(behind).refusal).toBe('');
  });
});

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
