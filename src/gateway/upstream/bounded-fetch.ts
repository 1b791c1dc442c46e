import type { TargetFetch } from '../model.ts';

/** The largest message of a target: 32 MiB. Larger than that of a client, since results are larger than requests. */
export const maxMessageBytes: number = 32 * 1024 * 1024;

/**
 * Wraps `fetch` so that reading a response fails when a message in it is larger than {@link maxMessageBytes}. The
 * reader buffers a message until it is complete: one event of an event stream, or the whole body of any other response.
 */
export function boundedFetch(fetch: TargetFetch): TargetFetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    const isEventStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
    const limit = isEventStream ? limitEvents() : limitBody();
    return new Response(body.pipeThrough(limit), { status, statusText, headers });
  };
}

type Limit = TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;

const tooLarge = (): Error => new Error(`a message is larger than ${maxMessageBytes} bytes`);

function limitBody(): Limit {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > maxMessageBytes) controller.error(tooLarge());
      else controller.enqueue(chunk);
    },
  });
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Counts bytes since the last empty line, which ends an event: `\n` or `\r\n` after the end of a line. */
function limitEvents(): Limit {
  let eventBytes = 0;
  let lineBytes = 0;
  let previousByte = newline;
  return new TransformStream({
    transform(chunk, controller) {
      for (let start = 0; start < chunk.length; ) {
        const end = chunk.indexOf(newline, start);
        const next = end === -1 ? chunk.length : end + 1;
        lineBytes += next - start;
        eventBytes += next - start;
        if (eventBytes > maxMessageBytes) return controller.error(tooLarge());
        const last = end === 0 ? previousByte : chunk[end - 1];
        const isEmptyLine = end !== -1 && (lineBytes === 1 || (lineBytes === 2 && last === carriageReturn));
        if (isEmptyLine) eventBytes = 0;
        if (end !== -1) lineBytes = 0;
        start = next;
      }
      previousByte = chunk.at(-1) ?? previousByte;
      controller.enqueue(chunk);
    },
  });
}
