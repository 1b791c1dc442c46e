import type { TargetFetch } from '../model.ts';

/** The largest message that a target may send; what a tool makes is larger than what it is asked. */
export const maxMessageBytes: number = 32 * 1024 * 1024;

const newline = 0x0a;

/**
 * The same requests, with answers that break off when a line is longer than {@link maxMessageBytes}: a message is one line
 * of a stream of events, or a body without a line break. Who reads them keeps a line in memory until it is complete.
 */
export function boundedFetch(fetch: TargetFetch): TargetFetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    return new Response(body.pipeThrough(limitLines()), { status, statusText, headers });
  };
}

function limitLines(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const last = chunk.lastIndexOf(newline);
      length = last === -1 ? length + chunk.length : chunk.length - last - 1;
      if (length > maxMessageBytes) controller.error(new Error(`a message is larger than ${maxMessageBytes} bytes`));
      else controller.enqueue(chunk);
    },
  });
}
