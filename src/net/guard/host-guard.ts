import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { isLoopbackAuthority } from '../loopback.ts';

const refusal = 'This address answers only when it is called by a loopback name, such as localhost or 127.0.0.1.';

/**
 * Wraps the handler of a listener on loopback: a request whose `Host` is not loopback gets 403 and does not reach the
 * handler (protection against DNS rebinding).
 *
 * @param refuse answers with 403 and the sentence given. Default: as plain text
 */
export function onlyForLoopbackHosts(
  handle: RequestListener,
  refuse: (request: IncomingMessage, response: ServerResponse, message: string) => void = refuseInText,
): RequestListener {
  return (request, response) => {
    if (isLoopbackAuthority(request.headers.host)) return handle(request, response);
    return refuse(request, response, refusal);
  };
}

function refuseInText(_: IncomingMessage, response: ServerResponse, message: string): void {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}
