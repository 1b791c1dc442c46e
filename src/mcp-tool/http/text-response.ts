import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * Responds with a line of plain text, unless headers were sent already. Closes the connection if the request body was
 * not read to its end.
 */
export function respondWithText(
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
