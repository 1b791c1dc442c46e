import { expect, it } from 'vitest';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { frameOf } from '../../../src/serve/transport/framing.ts';

const bodyOf = (size: number): Buffer =>
  Buffer.from(
    DeltaDiscoveryResponse.encode({ ...DeltaDiscoveryResponse.create(), typeUrl: 'x'.repeat(size) }).finish(),
  );

it.each([1, 4_000, 4_100, 100_000])('a response of %d bytes is framed as gRPC frames it, with its nonce', (size) => {
  const frame = frameOf(bodyOf(size), '1234567');
  const bytes = Buffer.concat(frame);
  expect(bytes[0]).toBe(0);
  expect(bytes.readUInt32BE(1)).toBe(bytes.length - 5);
  const message = DeltaDiscoveryResponse.decode(bytes.subarray(5));
  expect(message.nonce).toBe('1234567');
  expect(message.typeUrl).toHaveLength(size);
});

it('the body of a large response is the same memory for all streams', () => {
  const body = bodyOf(100_000);
  expect(frameOf(body, '1')[1]).toBe(body);
  expect(frameOf(body, '2')[1]).toBe(body);
});
