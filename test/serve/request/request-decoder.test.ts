import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryRequest, DiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { decodeRequest, stateOfTheWorldFields } from '../../../src/serve/request/request-decoder.ts';
import {
  decodeDelta,
  deltaRequest,
  lengthDelimited,
  noLimits,
  stateOfTheWorldRequest,
} from '../../support/nodes/requests.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const texts = fc.array(text, { maxLength: 20 });
const nothing = Buffer.alloc(0);
const nodeTag = (1 << 3) | 2;
const locatorTags = [(8 << 3) | 2, (9 << 3) | 2];

/** Unknown fields, of every wire type. */
const unknownField = fc.constantFrom(
  Buffer.from([0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0x79, 1, 2, 3, 4, 5, 6, 7, 8]),
  Buffer.from([0x7d, 1, 2, 3, 4]),
  Buffer.from([0x7b, 0x73, 0x78, 0x01, 0x74, 0x1a, 1, 0x1a, 0x7c]),
  Buffer.from([0xfa, 0xff, 0xff, 0xff, 0x0f, 2, 0x1a, 0x1a]),
  // Known field numbers with another wire type.
  Buffer.from([0x18, 0x05]),
  Buffer.from([0x35, 1, 2, 3, 4]),
);

describe('a request', () => {
  const fields = fc.record({
    node: fc.option(fc.record({ id: text, metadata: fc.dictionary(text, fc.oneof(text, fc.boolean(), texts)) })),
    typeUrl: text,
    responseNonce: text,
    errorDetail: fc.option(
      fc.record({ code: fc.nat(), message: text, details: fc.array(fc.record({ typeUrl: text })) }),
    ),
    names: texts,
    others: texts,
  });

  it('is decoded as the generated decoder does, with unknown fields in it', () => {
    fc.assert(
      fc.property(fields, unknownField, ({ node, errorDetail, names, others, ...rest }, unknown) => {
        const common = { ...rest, node: node ?? undefined, errorDetail: errorDetail ?? undefined };
        const delta = deltaRequest({ ...common, resourceNamesSubscribe: names, resourceNamesUnsubscribe: others });
        const decoded = DeltaDiscoveryRequest.decode(Buffer.concat([unknown, delta, unknown]));
        expect(decodeDelta(Buffer.concat([unknown, delta, unknown]))).toMatchObject({
          node: decoded.node,
          typeUrl: decoded.typeUrl,
          nonce: decoded.responseNonce,
          errorDetail: decoded.errorDetail?.message,
          subscribe: decoded.resourceNamesSubscribe,
          unsubscribe: decoded.resourceNamesUnsubscribe,
          initialVersions: undefined,
        });
        const state = stateOfTheWorldRequest({ ...common, resourceNames: names, versionInfo: '7' });
        const { node: its, typeUrl, responseNonce } = DiscoveryRequest.decode(state);
        expect(decodeRequest(Buffer.concat([state, unknown]), stateOfTheWorldFields, noLimits)).toMatchObject({
          node: its,
          typeUrl,
          nonce: responseNonce,
          errorDetail: errorDetail?.message,
          subscribe: names,
          unsubscribe: [],
        });
      }),
      { numRuns: 300 },
    );
  });

  it('has the last node, type, nonce and error of several', () => {
    const both = Buffer.concat(
      ['first', 'last'].map((word) =>
        deltaRequest({ node: { id: word }, typeUrl: word, responseNonce: word, errorDetail: { message: word } }),
      ),
    );
    expect(decodeDelta(both)).toMatchObject({
      node: { id: 'last' },
      typeUrl: 'last',
      nonce: 'last',
      errorDetail: 'last',
    });
  });
});

describe('malformed bytes', () => {
  it('are rejected, or decoded as the generated decoder does', () => {
    // The generated decoder misreads an embedded message that ends before its length, so none is generated.
    const other = fc.nat(255).filter((byte) => ![nodeTag, ...locatorTags].includes(byte));
    const bytes = fc.array(fc.oneof(fc.constantFrom(42, 18, 26, 50, 58, 2, 3, 0), other), { maxLength: 24 });
    fc.assert(
      fc.property(bytes, (values) => {
        const garbage = Buffer.from(values);
        const read = attempt(() => decodeDelta(garbage));
        const decoded = attempt(() => DeltaDiscoveryRequest.decode(garbage));
        if (read === undefined || decoded === undefined) return;
        expect([read.typeUrl, read.nonce, read.subscribe, read.unsubscribe, read.errorDetail]).toEqual([
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
    ['an unknown wire type', [0x67, 1]],
    ['a field with the number 0', [0x02, 0]],
    ['a length beyond the end', [0x62, 100]],
    ['a length without an end', [0x1a, 0xff, 0xff, 0xff]],
    ['a length of too many bytes', [0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a varint without an end', [0x60, 0xff]],
    ['a varint of too many bytes', [0x60, ...Array.from({ length: 12 }, () => 0xff), 1]],
    ['three bytes for a fixed32', [0x65, 1, 2, 3]],
    ['no byte for a fixed64', [0x61]],
    ['a group without an end', [0x63, 0x60, 0x01]],
    ['a group with the end of another', [0x63, 0x6c]],
    ['the end of a group without its start', [0x64]],
  ])('are rejected with %s', (_, bytes) => {
    expect(() => decodeDelta(Buffer.from(bytes))).toThrow(/./);
  });

  it('are groups nested more than a hundred deep', () => {
    const read = (depth: number): object =>
      decodeDelta(
        Buffer.concat([Buffer.alloc(depth, 0x63), Buffer.alloc(depth, 0x64), deltaRequest({ typeUrl: 'a' })]),
      );
    expect(read(100)).toMatchObject({ typeUrl: 'a' });
    expect(() => read(101)).toThrow('too deep');
  });
});

describe('the error_detail of a request', () => {
  it('is decoded to its message only, without the details', () => {
    const details = Buffer.alloc(2 << 20, lengthDelimited(3, nothing));
    const before = lengthDelimited(7, Buffer.concat([lengthDelimited(2, Buffer.from('no')), details]));
    expect(decodeDelta(before).errorDetail).toBe('no');
    // No encoder writes this order. The message behind the details is not found, and it is a NACK all the same.
    const after = lengthDelimited(7, Buffer.concat([details, lengthDelimited(2, Buffer.from('no'))]));
    expect(decodeDelta(after).errorDetail).toBe('');
  });
});

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
