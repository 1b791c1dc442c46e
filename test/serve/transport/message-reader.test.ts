import fc from 'fast-check';
import { expect, it } from 'vitest';
import { requestMetering } from '../../../src/serve/request/request-cost.ts';
import { deltaFields } from '../../../src/serve/request/request-decoder.ts';
import { MessageReader } from '../../../src/serve/transport/message-reader.ts';
import { grpcFrame } from '../../support/nodes/raw-stream.ts';
import { lengthDelimited } from '../../support/nodes/requests.ts';

const limits = { maxNames: 1_000, maxInitialVersions: () => 1_000 };
const arrive = (): MessageReader => new MessageReader(requestMetering(deltaFields, limits));
const names = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => lengthDelimited(3, Buffer.alloc(6))));

it('of the messages of a stream only the last may be incomplete, however they are cut into pieces', () => {
  const lengths = fc.array(fc.nat(60), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(40), { minLength: 1 }), (sizes, pieces) => {
      const bytes = Buffer.concat(sizes.map((size) => grpcFrame(Buffer.alloc(size))));
      const reader = arrive();
      let at = 0;
      for (const piece of pieces) {
        reader.read(bytes.subarray(at, at + piece));
        at = Math.min(bytes.length, at + piece);
        let begin = 0;
        let size = 0;
        for (const next of sizes) {
          size = next;
          if (begin + 5 + next > at) break;
          begin += 5 + next;
        }
        expect(reader.unfinished).toBe(at > begin);
        expect(reader.held).toBe(size > 0 ? Math.max(0, at - begin - 5) : 0);
      }
    }),
  );
});

it('a message that is too much is told before it is complete, and a light one before it is not looked into', () => {
  const reader = arrive();
  expect(reader.read(Buffer.concat([grpcFrame(names(1)), grpcFrame(names(3)).subarray(0, 20)]))).toBeUndefined();
  expect(reader.read(grpcFrame(names(3)).subarray(20))).toBeUndefined();
  const heavy = grpcFrame(names(200));
  expect(reader.read(heavy.subarray(0, 5 + 14 * 8))).toBeUndefined();
  expect(reader.read(heavy.subarray(5 + 14 * 8, 5 + 15 * 8))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});

it('each message is weighed by itself', () => {
  const reader = arrive();
  for (let count = 0; count < 10; count += 1) expect(reader.read(grpcFrame(names(14)))).toBeUndefined();
});

it('a compressed message is not metered while it arrives', () => {
  expect(arrive().read(grpcFrame(names(200), names(200).length, 1))).toBeUndefined();
});
