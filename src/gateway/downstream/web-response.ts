import type { ServerResponse } from 'node:http';
import type { Clock } from '../../edges.ts';
import type { Caller } from '../model.ts';
import { openEventStream } from './event-stream.ts';

/**
 * Answers with what a web-standard handler made. A stream of events is read as fast as it is written, so that what its
 * reader leaves unread is counted in one place, the stream to the client, and not kept in the response for ever.
 */
export async function relay(
  webResponse: Response,
  to: { readonly response: ServerResponse; readonly clock: Clock; readonly caller: Caller },
): Promise<void> {
  const { response } = to;
  const headers = Object.fromEntries(webResponse.headers);
  const { body, status } = webResponse;
  if (body === null || !(headers['content-type'] ?? '').startsWith('text/event-stream')) {
    const text = await webResponse.text();
    response.writeHead(status, headers).end(text);
    return;
  }
  const reader = body.getReader();
  const closed = (): void => void reader.cancel().catch(() => {});
  if (response.destroyed) return closed();
  const stream = openEventStream({ ...to, headers, closed });
  for (let next = await reader.read(); !next.done; next = await reader.read()) stream.write(next.value);
  stream.end();
}
