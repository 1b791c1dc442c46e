import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Clock, Logger, Random, Stop } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { reasonOf } from '../errors.ts';
import type { Authentication, Authenticator, ListMode, TargetFetch, World } from '../model.ts';
import { createMultiplexer } from '../session/multiplexer.ts';
import { admit } from './browser-guard.ts';
import { refuse } from './error-response.ts';
import { createHttpSse } from './http-sse.ts';
import type { HttpTransport } from './model.ts';
import { serveStdio } from './stdio.ts';
import { createStreamableHttp } from './streamable-http.ts';

/** What serving MCP clients takes. */
export interface DownstreamParts {
  readonly world: World;
  /** `undefined`: there is no authentication, callers are nobody, and everything is denied. */
  readonly authenticator: Authenticator | undefined;
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly list: ListMode;
  /** Origins of browser pages that may connect beside those on this machine. */
  readonly allowedOrigins: readonly string[];
  /**
   * Whether the listener is bound to a loopback address: then only requests to a loopback host name are answered. When
   * left out, that goes for connections that come in at a loopback address.
   */
  readonly listensOnLoopback?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The MCP server that clients see. */
export interface Downstream {
  /** Answers an HTTP request, of HTTP+SSE at `/sse` and of Streamable HTTP at `/mcp`. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves one client over a pair of streams, as nobody. */
  stdio(input: Readable, output: Writable): Stop;
  /** Ends all sessions; settles when the targets are told. */
  stop(): Promise<void>;
}

const maxSessions = 1_000;
const idleMilliseconds = 30 * 60_000;

/** Builds the MCP server; nothing is listened on here. */
export function createDownstream(parts: DownstreamParts): Downstream {
  const { authenticator, clock, log } = parts;
  const multiplexer = createMultiplexer(parts);
  const transportParts = { multiplexer, clock, maxSessions, idleMilliseconds };
  const transports: ReadonlyMap<string, HttpTransport> = new Map([
    ['/sse', createHttpSse(transportParts)],
    ['/mcp', createStreamableHttp(transportParts)],
  ]);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!admit(request, response, parts)) return;
    const url = URL.parse(request.url ?? '/', 'http://gateway');
    const transport = url === null ? undefined : transports.get(url.pathname);
    if (url === null || transport === undefined) {
      return refuse(response, { status: 404, message: 'MCP is spoken at /mcp and at /sse' });
    }
    if (!transport.methods.includes(request.method ?? '')) {
      const headers = { allow: transport.methods.join(', ') };
      return refuse(response, { status: 405, message: 'Method not allowed', headers });
    }
    const authentication = await authenticate(authenticator, request);
    if (response.destroyed) return;
    if (authentication.kind === 'refused') return refuseCaller(response, authentication);
    await transport.serve(request, response, url, authentication.caller);
  };

  return {
    handle(request, response) {
      serve(request, response).catch((error: unknown) => {
        // A client that breaks off in the middle of its request is no failure of ours.
        if (!request.destroyed) log.error('request failed', { reason: reasonOf(error) });
        if (!response.headersSent && !response.destroyed) refuse(response, { status: 500, message: 'Internal error' });
        else response.destroy();
      });
    },
    stdio: (input, output) => serveStdio(multiplexer, input, output),
    async stop() {
      await Promise.all([...transports.values()].map((transport) => transport.stop()));
      await multiplexer.stop();
    },
  };
}

/** Two headers make none that can be read: which of them counts must not depend on who reads them. */
function authenticate(
  authenticator: Authenticator | undefined,
  { headersDistinct }: IncomingMessage,
): Promise<Authentication> {
  if (authenticator !== undefined) return authenticator.authenticate(headersDistinct['authorization']?.join(', '));
  return Promise.resolve({ kind: 'caller', caller: { kind: 'anonymous', why: 'no authn configured' } });
}

function refuseCaller(
  response: ServerResponse,
  { status, challenge, message }: Extract<Authentication, { readonly kind: 'refused' }>,
): void {
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  refuse(response, { status, message, headers });
}
