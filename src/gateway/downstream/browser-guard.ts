import type { IncomingMessage, ServerResponse } from 'node:http';
import { quoted } from '../../json/quoted.ts';
import { isLoopback, isLoopbackAuthority, isLoopbackOrigin } from '../../net/loopback.ts';
import type { Strangers } from './strangers.ts';

/** Settings of the protection against requests from web pages. */
export interface BrowserGuardParts {
  /** Origins that may connect in addition to loopback origins, as browsers spell them: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /**
   * Names, in lower case and without a port, that a `Host` header may have at a loopback listener: those of a proxy.
   */
  readonly allowedHosts: readonly string[];
  /**
   * Returns whether the listener is bound to a loopback address. Absent: the local address of each connection decides.
   */
  readonly listensOnLoopback?: () => boolean;
}

/** CORS: what pages may read and send beyond the defaults of browsers. */
const exposedHeaders = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate';
const allowedMethods = 'GET, POST, DELETE, OPTIONS';
const defaultAllowedHeaders =
  'Authorization, Content-Type, Accept, Mcp-Session-Id, Mcp-Protocol-Version, Last-Event-ID';
const preflightMaxAgeSeconds = 600;

/**
 * Returns whether a request may be processed; otherwise it is answered: with 403 when its `Origin` is not allowed (MCP
 * 2025-11-25, Transports, Security Warning), or when it reaches a loopback listener with a `Host` that is not loopback
 * (DNS rebinding), and with 204 when it is a CORS preflight.
 */
export function admit(
  request: IncomingMessage,
  response: ServerResponse,
  { strangers, ...parts }: BrowserGuardParts & { readonly strangers: Strangers },
): boolean {
  const { host, origin } = request.headers;
  const onLoopback = parts.listensOnLoopback?.() ?? isLoopback(request.socket.localAddress ?? '');
  if (onLoopback && !isLoopbackAuthority(host) && !parts.allowedHosts.includes(nameIn(host))) {
    const remedy = 'allow the name of a proxy with --allow-host';
    strangers.refuse('host', response, {
      status: 403,
      message: `Host ${quoted(host ?? '')} is not this machine; ${remedy}`,
    });
    return false;
  }
  if (origin !== undefined) {
    if (!isLoopbackOrigin(origin) && !parts.allowedOrigins.includes(origin)) {
      const remedy = 'allow the origin of a page with --allow-origin';
      strangers.refuse('origin', response, {
        status: 403,
        message: `Origin ${quoted(origin)} may not connect; ${remedy}`,
      });
      return false;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', exposedHeaders);
    response.setHeader('Vary', 'Origin');
  }
  if (request.method !== 'OPTIONS') return true;
  strangers.answered('preflight', response);
  sendPreflightResponse(request, response);
  return false;
}

/** Returns the name in a `Host` header, in lower case and without its port. */
function nameIn(host: string = ''): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '');
}

/** Allows every header that an allowed origin requests: custom headers are common with MCP clients. */
function sendPreflightResponse({ headers }: IncomingMessage, response: ServerResponse): void {
  if (headers.origin !== undefined) {
    const requestedHeaders = headers['access-control-request-headers'];
    response.setHeader('Access-Control-Allow-Methods', allowedMethods);
    response.setHeader('Access-Control-Allow-Headers', requestedHeaders ?? defaultAllowedHeaders);
    response.setHeader('Access-Control-Max-Age', preflightMaxAgeSeconds);
    if (headers['access-control-request-private-network'] === 'true') {
      response.setHeader('Access-Control-Allow-Private-Network', 'true');
    }
  }
  response.setHeader('Allow', allowedMethods);
  response.writeHead(204).end();
}
