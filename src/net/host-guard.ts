import type { RequestListener } from 'node:http';
import { isLoopbackAuthority } from './loopback.ts';

const refusal = 'This address answers only when it is called by a loopback name, such as localhost or 127.0.0.1.\n';

/**
 * Answers 403 to a request whose `Host` is not loopback, before anything else sees it: protection against DNS rebinding
 * for listeners that only this machine should reach.
 */
export function onlyForLoopbackHosts(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (isLoopbackAuthority(request.headers.host)) return handle(request, response);
    response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(refusal);
  };
}
