import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect } from 'vitest';
import { RequestCost, RequestCostMeter } from '../../../src/serve/request/request-cost.ts';
import { decodeRequest, deltaFields, stateOfTheWorldFields } from '../../../src/serve/request/request-decoder.ts';
import { fuzz } from '../../support/fuzz/fuzz.ts';
import { noLimits } from '../../support/nodes/requests.ts';

/** Decodes with a decoder that may throw. Returns undefined when it does. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}

/** Reads the length-delimited fields with the library. The generated decoder passes over malformed nested messages. */
function textsOf(input: Buffer): ReadonlyMap<number, readonly string[]> {
  const reader = new BinaryReader(input);
  const texts = new Map<number, string[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.LengthDelimited) reader.skip(type, field);
    else texts.set(field, [...(texts.get(field) ?? []), Buffer.from(reader.bytes()).toString('utf8')]);
  }
  return texts;
}

const limits = { maxNames: 4_096, maxInitialVersions: () => 4_096 };

describe('any bytes', () => {
  fuzz('of a delta request are refused with a reason, or decoded as the library reads them', {
    corpus: new URL('./corpus/delta/', import.meta.url),
    run: (input) => {
      const request = attempt(() => decodeRequest(input, deltaFields, noLimits));
      const reference = attempt(() => textsOf(input));
      if (request?.kind !== 'raw' || reference === undefined) return;
      const { typeUrl, nonce, subscribe, unsubscribe } = request;
      const of = (field: number): readonly string[] => reference.get(field) ?? [];
      expect([subscribe, unsubscribe]).toEqual([of(deltaFields.subscribe), of(deltaFields.unsubscribe ?? 0)]);
      expect([typeUrl, nonce]).toEqual([of(deltaFields.typeUrl).at(-1) ?? '', of(deltaFields.nonce).at(-1) ?? '']);
    },
  });

  fuzz('of a state-of-the-world request are refused with a reason, or decoded', {
    corpus: new URL('./corpus/sotw/', import.meta.url),
    run: (input) => void attempt(() => decodeRequest(input, stateOfTheWorldFields, noLimits)),
  });

  fuzz('are metered to the same end whole and byte by byte, and never refused when they would be decoded', {
    corpus: new URL('./corpus/delta/', import.meta.url),
    run: (input) => {
      const whole = new RequestCostMeter(new RequestCost(deltaFields, limits)).add(input, 0, input.length);
      const meter = new RequestCostMeter(new RequestCost(deltaFields, limits));
      let exceeded: ReturnType<typeof meter.add>;
      for (let at = 0; at < input.length && exceeded === undefined; at += 1) exceeded = meter.add(input, at, at + 1);
      expect(exceeded).toEqual(whole);
      const decoded = attempt(() => decodeRequest(input, deltaFields, limits));
      // Fields in a group count when they are metered, and not when they are skipped.
      if (decoded?.kind === 'limit-exceeded') expect(whole?.code).toBe(decoded.code);
    },
  });
});
