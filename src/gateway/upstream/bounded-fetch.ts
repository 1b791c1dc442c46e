import type { TargetFetch } from '../model.ts';

/** The largest message that a target may send; what a tool makes is larger than what it is asked. */
export const maxMessageBytes: number = 32 * 1024 * 1024;

/**
 * The same requests, with answers that break off when a message is larger than {@link maxMessageBytes}. Whoever reads them
 * keeps a message in memory until it is complete: of a stream of events that is one event, of anything else the whole body.
 */
export function boundedFetch(fetch: TargetFetch): TargetFetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    const isEvents = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
    return new Response(body.pipeThrough(isEvents ? limitEvents() : limitWhole()), { status, statusText, headers });
  };
}

type Limit = TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;

const tooLarge = (): Error => new Error(`a message is larger than ${maxMessageBytes} bytes`);

function limitWhole(): Limit {
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

/** Counts the bytes since the last empty line, where an event ends: `\n` after the end of a line, or `\r\n`. */
function limitEvents(): Limit {
  let event = 0;
  let line = 0;
  let before = newline;
  return new TransformStream({
    transform(chunk, controller) {
      for (let start = 0; start < chunk.length; ) {
        const end = chunk.indexOf(newline, start);
        const next = end === -1 ? chunk.length : end + 1;
        line += next - start;
        event += next - start;
        if (event > maxMessageBytes) return controller.error(tooLarge());
        const last = end === 0 ? before : chunk[end - 1];
        if (end !== -1 && (line === 1 || (line === 2 && last === carriageReturn))) event = 0;
        if (end !== -1) line = 0;
        start = next;
      }
      before = chunk.at(-1) ?? before;
      controller.enqueue(chunk);
    },
  });
}
