import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType, type JSONRPCMessage, parseJSONRPCMessage, type Server } from '@modelcontextprotocol/server';
import type { Clock, Logger } from '../../edges.ts';
import { answer } from './text-response.ts';
import type { Limits } from '../model.ts';
import { readRequest } from './read-request.ts';
import { SseTransport } from './sse-transport.ts';

/** HTTP+SSE as markitdown-mcp serves it: a stream per session, and one address for what the clients say. */
export interface SseSessions {
  /** `GET /sse`: opens a session. */
  open(response: ServerResponse): Promise<void>;
  /** `POST /messages/?session_id=…`: a message of the session's client. */
  post(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void>;
}

/** Revisions that know this transport. */
export const sseProtocolVersions: readonly string[] = ['2024-11-05'];

/** @param createServer makes the MCP server of a new session. */
export function createSseSessions(
  createServer: () => Server,
  { limits, clock, log }: { readonly limits: Limits; readonly clock: Clock; readonly log: Logger },
): SseSessions {
  const sessions = new Map<string, SseTransport>();
  return {
    async open(response) {
      if (sessions.size >= limits.sessions) {
        return answer(response, 503, `There are ${sessions.size} sessions open already`, { 'retry-after': '10' });
      }
      const id = randomBytes(16).toString('hex');
      const transport = new SseTransport(response, id, `/messages/?session_id=${id}`, clock);
      sessions.set(id, transport);
      response.once('close', () => {
        sessions.delete(id);
        log.debug('session closed', { sessions: sessions.size });
      });
      await createServer().connect(transport);
      log.debug('session opened', { sessions: sessions.size });
    },
    async post(request, response, query) {
      const id = query.get('session_id');
      if (id === null) return answer(response, 400, 'session_id is required');
      if (!/^[0-9a-f]{32}$/i.test(id)) return answer(response, 400, 'Invalid session ID');
      const transport = sessions.get(id.toLowerCase());
      if (transport === undefined) return answer(response, 404, 'Could not find session');
      // A page in a browser cannot send this type across origins without asking first.
      if (!isJsonContentType(request.headers['content-type'] ?? null)) {
        return answer(response, 415, 'Content-Type must be application/json');
      }
      const body = await readRequest(request, limits.requestBytes);
      if (body === undefined) return answer(response, 413, `The message is larger than ${limits.requestBytes} bytes`);
      const message = parse(body);
      if (message === undefined) return answer(response, 400, 'Could not parse message');
      answer(response, 202, 'Accepted');
      transport.receive(message);
    },
  };
}

function parse(body: string): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(withoutNullParams(JSON.parse(body)));
  } catch {
    return undefined;
  }
}

/**
 * Deployed gateways of spring 2025 write absent parameters, and an absent cursor, as null. The original reads that as
 * absent and the SDK refuses it. No parameter of 2024-11-05 means anything as null.
 */
function withoutNullParams(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('params' in message)) return message;
  const { params, ...rest } = message;
  if (params === null) return rest;
  if (typeof params !== 'object' || Array.isArray(params)) return message;
  return { ...rest, params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null)) };
}
