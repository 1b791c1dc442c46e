import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType, parseJSONRPCMessage } from '@modelcontextprotocol/server';
import type { Clock } from '../../edges.ts';
import type { Caller } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import { errorCode } from '../rpc/protocol.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { readBody } from './body.ts';
import { refuse, sessionIsForeign, sessionNotFound, tooManySessions } from './error-response.ts';
import { openEventStream } from './event-stream.ts';
import type { HttpTransport } from './model.ts';
import { createSession, type Session } from './session.ts';
import { createSessionTable } from './session-table.ts';

/**
 * HTTP+SSE of MCP 2024-11-05, as the deployed gateways speak it: `GET /sse` opens a stream whose first event says where to
 * post (`?sessionId=<hex>`), posts are answered with 202, and everything else travels on the stream. The session lives as
 * long as its stream.
 */
export function createHttpSse(parts: {
  readonly multiplexer: Multiplexer;
  readonly clock: Clock;
  readonly maxSessions: number;
  readonly idleMilliseconds: number;
}): HttpTransport {
  const { multiplexer, clock, maxSessions: max, idleMilliseconds } = parts;
  const sessions = createSessionTable<Session>({ clock, max, idleMilliseconds });

  const open = (response: ServerResponse, caller: Caller): void => {
    const send = (message: Message): Promise<void> => {
      stream.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
      return Promise.resolve();
    };
    const opened = sessions.open(caller, () => {
      const session = createSession({ multiplexer, send });
      return {
        ...session,
        close() {
          stream.end();
          return session.close();
        },
      };
    });
    if (opened === undefined) {
      refuse(response, tooManySessions);
      return;
    }
    const { id } = opened;
    const release = sessions.hold(id);
    const stream = openEventStream({
      response,
      clock,
      caller,
      closed() {
        release();
        sessions.close(id);
      },
    });
    stream.write(`event: endpoint\ndata: ?sessionId=${id}\n\n`);
  };

  const post = async (request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> => {
    const id = url.searchParams.get('sessionId');
    if (id === null) {
      const message = 'sessionId is missing: open a stream with GET first, or use Streamable HTTP at /mcp';
      return refuse(response, { status: 400, message });
    }
    const found = sessions.find(id, caller);
    if (found.kind === 'unknown') return refuse(response, sessionNotFound);
    if (found.kind === 'foreign') return refuse(response, sessionIsForeign);
    if (!isJsonContentType(request.headers['content-type'] ?? null)) {
      return refuse(response, { status: 415, message: 'Content-Type must be application/json' });
    }
    const body = await readBody(request);
    if (body.kind === 'refused') return refuse(response, body);
    const message = messageOf(body.value);
    if (message === undefined) {
      return refuse(response, {
        status: 400,
        code: errorCode.invalidRequest,
        message: 'The body is no JSON-RPC message',
      });
    }
    response.writeHead(202).end('Accepted');
    found.session.receive(message, caller);
  };

  return {
    methods: ['GET', 'POST'],
    async serve(request, response, url, caller) {
      if (request.method === 'POST') await post(request, response, url, caller);
      else open(response, caller);
    },
    stop: sessions.stop,
  };
}

function messageOf(value: unknown): Message | undefined {
  try {
    return parseJSONRPCMessage(value);
  } catch {
    return undefined;
  }
}
