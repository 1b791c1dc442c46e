import { describe, expect, it } from 'vitest';
import { boundedFetch, maxMessageBytes } from '../../../src/gateway/upstream/bounded-fetch.ts';

const size = 1024 * 1024;
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const megabyte = bytes('x'.repeat(size));
/** A megabyte of lines; a line may continue in the next chunk. */
const lines = (line: string): Uint8Array<ArrayBuffer> => bytes(line.repeat(size / line.length));
const most = maxMessageBytes / size;

/** A `fetch` whose response consists of these chunks, with the number of chunks that were read. */
function answering(chunks: readonly Uint8Array<ArrayBuffer>[], type = 'text/event-stream') {
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
    return Promise.resolve(new Response(body, { status: 202, headers: { 'x-kept': 'yes', 'content-type': type } }));
  });
  return { fetch, taken };
}

describe('a response of a target', () => {
  it.each(['\n\n', '\r\n\r\n', 'x\n\n', '\n\r\n'])(
    'passes through unchanged when no event in it is too large, with events that end in %j',
    async (end) => {
      const chunks = Array.from({ length: 2 * most }, () => [megabyte, ...Array.from(end, bytes)]).flat();
      const response = await answering(chunks, 'text/event-stream; charset=utf-8').fetch('http://target');
      expect([response.status, response.headers.get('x-kept')]).toEqual([202, 'yes']);
      expect((await response.arrayBuffer()).byteLength).toBe(2 * most * (size + end.length));
    },
  );

  it.each([
    ['one line', 'text/event-stream', megabyte],
    ['many lines', 'text/event-stream', lines('data: x\n')],
    ['many lines with carriage returns', 'text/event-stream', lines('data: \r\n')],
    ['many lines of a byte', 'text/event-stream', lines('x\n')],
    ['one line', 'application/json', megabyte],
    ['many lines', 'application/json', lines('      1\n')],
    ['empty lines', 'text/html', lines('\n\n')],
    ['empty lines', '', lines('\n\n')],
  ])('fails when a message of %s of type "%s" is too large, and is not read further', async (_, type, chunk) => {
    const { fetch, taken } = answering(
      Array.from({ length: most * 4 }, () => chunk),
      type,
    );
    const response = await fetch('http://target');
    await expect(response.arrayBuffer()).rejects.toThrow('larger than');
    expect(taken.count).toBeLessThan(most * 2);
  });

  it('without a body passes through without a body', async () => {
    const response = await boundedFetch(() => Promise.resolve(new Response(null, { status: 204 })))('http://target');
    expect(response.body).toBeNull();
  });
});
