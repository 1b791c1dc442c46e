import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType, type JSONRPCMessage, parseJSONRPCMessage, type Server } from '@modelcontextprotocol/server';
import type { Clock, Logger } from '../../edges.ts';
import { isJsonObject } from '../../json/json.ts';
import { EventStreams } from '../../net/event-streams.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { Limits } from '../model.ts';
import type { RequestBodies } from './request-body.ts';
import { SseTransport } from './sse-transport.ts';
import { respondWithText } from './text-response.ts';

/** HTTP+SSE with the paths and responses of markitdown-mcp: an event stream per session, one path for all messages. */
export interface SseSessions {
  /** `GET /sse`: opens a session. Responds with 503 at the limit. */
  open(response: ServerResponse): Promise<void>;
  /** `POST /messages/?session_id=…`: receives a message of the session's client. */
  receive(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void>;
}

/** MCP revisions that define HTTP+SSE. */
export const sseProtocolVersions: readonly string[] = ['2024-11-05'];

/** Settings and dependencies of the sessions. */
export interface SseSessionsParts {
  readonly limits: Limits;
  readonly bodies: RequestBodies;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @param createServer called once per session */
export function createSseSessions(
  createServer: () => Server,
  { limits, bodies, clock, log }: SseSessionsParts,
): SseSessions {
  const sessions = new Map<string, SseTransport>();
  const throttle = new LogThrottle(clock, log);
  const streams = new EventStreams({
    limits: { maxUnread: limits.unreadBytes, share: 1 },
    clock,
    cut(reason, unread) {
      const message = 'an event stream was closed because its client does not read it';
      throttle.failed(reason, { reason, message, fields: { unread } });
    },
  });
  return {
    async open(response) {
      if (sessions.size >= limits.sseSessions) {
        const text = `There are ${sessions.size} sessions open already`;
        return respondWithText(response, 503, text, { 'retry-after': '10' });
      }
      const id = randomBytes(16).toString('hex');
      const transport = new SseTransport(id, { response, streams, endpoint: `/messages/?session_id=${id}` });
      sessions.set(id, transport);
      response.once('close', () => {
        sessions.delete(id);
        log.debug('session closed', { sessions: sessions.size });
      });
      await createServer().connect(transport);
      log.debug('session opened', { sessions: sessions.size });
    },
    async receive(request, response, query) {
      const id = query.get('session_id');
      if (id === null) return respondWithText(response, 400, 'session_id is required');
      if (!/^[0-9a-f]{32}$/i.test(id)) return respondWithText(response, 400, 'Invalid session ID');
      const transport = sessions.get(id.toLowerCase());
      if (transport === undefined) return respondWithText(response, 404, 'Could not find session');
      // A browser sends this type across origins only after a CORS preflight, which fails here.
      if (!isJsonContentType(request.headers['content-type'] ?? null)) {
        return respondWithText(response, 415, 'Content-Type must be application/json');
      }
      const body = await bodies.read(request);
      if (body.kind === 'refused') return respondWithText(response, body.status, body.message);
      const message = decodeMessage(body.value);
      body.release();
      if (message === undefined) return respondWithText(response, 400, 'Could not parse message');
      respondWithText(response, 202, 'Accepted');
      transport.receive(message);
    },
  };
}

function decodeMessage(body: unknown): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(withoutNullParams(body));
  } catch {
    return undefined;
  }
}

/**
 * Removes `params`, and members of it, that are null. Deployed gateways of spring 2025 send null for absent parameters
 * and for an absent cursor; markitdown-mcp accepts that and the SDK does not. 2024-11-05 has no parameter that may be
 * null.
 */
function withoutNullParams(message: unknown): unknown {
  if (!isJsonObject(message) || !('params' in message)) return message;
  const { params, ...rest } = message;
  if (params === null) return rest;
  if (!isJsonObject(params)) return message;
  return { ...rest, params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null)) };
}
