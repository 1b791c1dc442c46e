import { describe, expect, it } from 'vitest';
import { boundedFetch, maxMessageBytes } from '../../../src/gateway/upstream/bounded-fetch.ts';

const megabyte = new Uint8Array(1024 * 1024).fill(0x78);
const line = new TextEncoder().encode('x\n');

/** An answer of so many chunks; counts how many were taken. */
function answering(chunks: readonly Uint8Array<ArrayBuffer>[]) {
  const taken = { count: 0 };
  const fetch = boundedFetch(() => {
    const left = [...chunks];
    const body = new ReadableStream({
      pull(controller) {
        const chunk = left.shift();
        taken.count += 1;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return Promise.resolve(new Response(body, { status: 202, headers: { 'x-kept': 'yes' } }));
  });
  return { fetch, taken };
}

describe('an answer of a target', () => {
  it('is as it was when no message in it is too large, however many there are', async () => {
    const messages = Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? megabyte : line));
    const response = await answering(messages).fetch('http://target');
    expect([response.status, response.headers.get('x-kept')]).toEqual([202, 'yes']);
    expect((await response.arrayBuffer()).byteLength).toBe(40 * megabyte.length + 40 * line.length);
  });

  it('breaks off where a message is too large, and is not read on', async () => {
    const size = maxMessageBytes / megabyte.length;
    const { fetch, taken } = answering(Array.from({ length: size * 4 }, () => megabyte));
    const response = await fetch('http://target');
    await expect(response.arrayBuffer()).rejects.toThrow('larger than');
    expect(taken.count).toBeLessThan(size * 2);
  });

  it('without a body stays without one', async () => {
    const response = await boundedFetch(() => Promise.resolve(new Response(null, { status: 204 })))('http://target');
    expect(response.body).toBeNull();
  });
});
