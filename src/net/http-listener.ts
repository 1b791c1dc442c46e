import type { RequestListener, Server } from 'node:http';
import ipaddr from 'ipaddr.js';
import { GatewayError, reasonOf } from '../gateway/gateway-error.ts';
import { type Endpoint, endpointText, parseEndpoint } from '../gateway/network/resolve.ts';

/**
 * Starts to listen and answers with the address really bound: port 0 picks a free one.
 *
 * @param what names the listener in the message, and says how to move it elsewhere
 * @throws GatewayError when the port is in use or the address is not this machine's
 */
export async function listen(server: Server, at: Endpoint, what: string): Promise<Endpoint> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host: at.host, port: at.port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new GatewayError('environment', `cannot listen on ${endpointText(at)} for ${what}: ${listenProblem(error)}`, {
      cause: error,
    });
  } finally {
    server.off('error', reject);
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : at;
}

function listenProblem(error: unknown): string {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return 'the port is in use; stop the other program or choose another port';
    case 'EACCES':
      return 'this user may not bind the port; choose one above 1023';
    case 'EADDRNOTAVAIL':
      return 'the address is not one of this machine';
    default:
      return reasonOf(error);
  }
}

/** Whether a host, as a flag or a `Host` header spells it (without the port), is this machine seen from itself. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return ipaddr.IPv4.isValidFourPartDecimal(name) || ipaddr.IPv6.isValid(name)
    ? ipaddr.process(name).range() === 'loopback'
    : false;
}

/**
 * Answers 403 to a request whose `Host` is not loopback, before anything else sees it: a web page whose name was made to
 * point at 127.0.0.1 must not reach a listener that only this machine should (DNS rebinding).
 */
export function onlyForLoopbackHosts(handle: RequestListener): RequestListener {
  return (request, response) => {
    const host = parseEndpoint(withPort(request.headers.host ?? ''));
    if (host !== undefined && isLoopback(host.host)) return handle(request, response);
    const text = 'This address answers only when it is called by a loopback name, such as localhost or 127.0.0.1.\n';
    response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  };
}

function withPort(host: string): string {
  return /:\d+$/.test(host) && !/^\[[^\]]*$/.test(host) ? host : `${host}:80`;
}
