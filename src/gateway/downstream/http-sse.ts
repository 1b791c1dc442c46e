import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType, parseJSONRPCMessage } from '@modelcontextprotocol/server';
import { eventText } from '../../net/sse.ts';
import type { Caller } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import type { Session } from '../session/model.ts';
import { readBody } from './body.ts';
import { sendError, sessionNotFound, sessionOfOtherIdentity, tooManySessions } from './error-response.ts';
import { openEventStream } from './event-stream.ts';
import type { HttpTransport, HttpTransportParts } from './model.ts';
import { createSessionTable } from './session-table.ts';

/**
 * The HTTP+SSE transport of MCP 2024-11-05, as in the deployed gateways: `GET /sse` opens an event stream, whose first
 * event contains the URL for `POST` (`?sessionId=<hex>`). A `POST` gets 202; responses and notifications are sent on
 * the stream. The session ends with its stream.
 */
export function createHttpSse({ multiplexer, ...parts }: HttpTransportParts): HttpTransport {
  const { clock, streams } = parts;
  const sessions = createSessionTable<Session>(parts);

  const open = (response: ServerResponse, caller: Caller): void => {
    const send = (message: Message): Promise<void> => {
      stream.write(eventText('message', JSON.stringify(message)));
      return Promise.resolve();
    };
    const opened = sessions.open(caller, () => {
      const session = multiplexer.open({ send });
      return {
        ...session,
        close() {
          stream.end();
          return session.close();
        },
      };
    });
    if (opened === undefined) {
      sendError(response, tooManySessions);
      return;
    }
    const { id } = opened;
    const release = sessions.hold(id);
    const stream = openEventStream({
      streams,
      response,
      clock,
      caller,
      closed() {
        release();
        sessions.close(id);
      },
    });
    stream.write(eventText('endpoint', `?sessionId=${id}`));
  };

  const post = async (request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> => {
    const id = url.searchParams.get('sessionId');
    if (id === null) {
      const message = 'sessionId is missing: open a stream with GET first, or use Streamable HTTP at /mcp';
      return sendError(response, { status: 400, message });
    }
    const found = sessions.find(id, caller);
    if (found.kind === 'unknown') return sendError(response, sessionNotFound);
    if (found.kind === 'foreign') return sendError(response, sessionOfOtherIdentity);
    if (!isJsonContentType(request.headers['content-type'] ?? null)) {
      return sendError(response, { status: 415, message: 'Content-Type must be application/json' });
    }
    const body = await readBody(request);
    if (body.kind === 'error') return sendError(response, body);
    const message = parseMessage(body.value);
    if (message === undefined) {
      return sendError(response, {
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

function parseMessage(value: unknown): Message | undefined {
  try {
    return parseJSONRPCMessage(value);
  } catch {
    return undefined;
  }
}
