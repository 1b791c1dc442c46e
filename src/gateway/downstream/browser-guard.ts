import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { refuse } from './error-response.ts';

/** What a browser page must not do behind its user's back, and what the pages that may connect need. */
export interface BrowserGuardParts {
  /** Origins that may connect beside those of this machine, as browsers spell them: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** Whether the listener is bound to a loopback address; `undefined`: whether the connection came in at one. */
  readonly listensOnLoopback?: boolean | undefined;
}

/** What pages read and send beyond what browsers grant by themselves. */
const exposedHeaders = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate';
const allowedMethods = 'GET, POST, DELETE, OPTIONS';
const usualHeaders = 'Authorization, Content-Type, Accept, Mcp-Session-Id, Mcp-Protocol-Version, Last-Event-ID';
const preflightSeconds = 600;

/**
 * Whether a request may go on. Otherwise it is answered: with 403 when it names a foreign origin (MCP 2025-11-25,
 * Transports, Security Warning) or reaches a loopback listener under a name that is not loopback (DNS rebinding), and with
 * the preflight's answer when it is one.
 */
export function admit(request: IncomingMessage, response: ServerResponse, parts: BrowserGuardParts): boolean {
  const { host, origin } = request.headers;
  const onLoopback = parts.listensOnLoopback ?? isLoopbackAddress(request.socket.localAddress ?? '');
  if (onLoopback && !isLoopbackAuthority(host ?? '')) {
    refuse(response, { status: 403, message: `Host "${host ?? ''}" is not this machine` });
    return false;
  }
  if (origin !== undefined) {
    if (!isLoopbackOrigin(origin) && !parts.allowedOrigins.includes(origin)) {
      refuse(response, { status: 403, message: `Origin "${origin}" may not connect` });
      return false;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', exposedHeaders);
    response.setHeader('Vary', 'Origin');
  }
  if (request.method !== 'OPTIONS') return true;
  answerPreflight(request, response);
  return false;
}

/** Which headers a page sends is its own affair once its origin is allowed: custom ones are common with MCP clients. */
function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  if (headers.origin !== undefined) {
    const wanted = headers['access-control-request-headers'];
    response.setHeader('Access-Control-Allow-Methods', allowedMethods);
    response.setHeader('Access-Control-Allow-Headers', wanted ?? usualHeaders);
    response.setHeader('Access-Control-Max-Age', preflightSeconds);
    if (headers['access-control-request-private-network'] === 'true') {
      response.setHeader('Access-Control-Allow-Private-Network', 'true');
    }
  }
  response.setHeader('Allow', allowedMethods);
  response.writeHead(204).end();
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname, origin: whole } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && whole === origin && isLoopbackHost(hostname);
}

function isLoopbackAuthority(authority: string): boolean {
  if (!URL.canParse(`http://${authority}/`)) return false;
  const { host, hostname, href } = new URL(`http://${authority}/`);
  return href === `http://${host}/` && isLoopbackHost(hostname);
}

function isLoopbackHost(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  return isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}
