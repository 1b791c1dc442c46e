import type { RequestListener } from 'node:http';
import { isLoopbackAuthority } from './loopback.ts';

const refusal = 'This address answers only when it is called by a loopback name, such as localhost or 127.0.0.1.\n';

/**
 * Wraps the handler of a listener on loopback: a request whose `Host` is not loopback gets 403 and does not reach the
 * handler (protection against DNS rebinding).
 */
export function onlyForLoopbackHosts(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (isLoopbackAuthority(request.headers.host)) return handle(request, response);
    response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(refusal);
  };
}
