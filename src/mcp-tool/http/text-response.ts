import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * Answers with a line of text. An answer that comes before the request was read ends the connection, so that nobody
 * has to read the rest.
 */
export function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...(response.req.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(text);
}
