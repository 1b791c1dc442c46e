/** Writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

/** The headers of an event stream. `x-accel-buffering` keeps nginx from buffering events. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** A comment, which clients ignore: proxies close streams that are idle for long. */
export const keepAlive = ': keep-alive\n\n';

/** Interval of the comments on an idle stream, in milliseconds: that of the deployed gateways. */
export const keepAliveInterval = 15_000;

/** Formats the field after which time, in milliseconds, a client connects again when the stream ends. It is no event. */
export function retryText(milliseconds: number): string {
  return `retry: ${milliseconds}\n\n`;
}

/**
 * Formats one event.
 *
 * @param data one line; JSON has no line breaks of its own
 */
export function eventText(event: string, data: string): string {
  return eventPieces(event, [data]).join('');
}

/**
 * Formats one event whose data comes in pieces, none of which has a line break.
 *
 * @param id for `Last-Event-ID`
 */
export function eventPieces(event: string, data: readonly string[], id?: string): readonly string[] {
  const fields = id === undefined ? `event: ${event}` : `event: ${event}\nid: ${id}`;
  return data.map((piece, index) => {
    const head = index === 0 ? `${fields}\ndata: ` : '';
    return `${head}${piece}${index === data.length - 1 ? '\n\n' : ''}`;
  });
}
