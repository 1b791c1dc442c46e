import type { Stop } from '../../../edges.ts';
import type { JsonObject } from '../../../json/json.ts';
import { FairTurns } from '../../../rate/fair-turns.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import { statelessVersion } from '../../rpc/protocol.ts';
import { errorCode } from '../../rpc/rpc-error.ts';
import { declaresTasks, withTasksDeclared } from '../../rpc/task-states.ts';
import { decodeClientCapabilities } from '../../session/client-requests.ts';
import type { Session } from '../../session/model.ts';
import { type ErrorResponse, sendError, tooManySessions } from '../error-response.ts';
import type { Exchange, HttpTransportParts } from '../model.ts';
import { createSessionTable } from '../session-table.ts';
import { createStatelessCalls, isOfWaitingCall } from './stateless-calls.ts';
import { listen } from './stateless-listen.ts';
import { createReply, type StatelessReply } from './stateless-reply.ts';
import { decodeStateless, type StatelessRequest } from './stateless-request.ts';

/** Serves POST requests of MCP 2026-07-28, which has neither a handshake nor sessions. */
export interface StatelessHttp {
  /** @param done called once, when the body is not needed any more and no target works on the request */
  post(exchange: Exchange, body: unknown, done: () => void): void;
  /** Ends the streams of subscriptions, with a result. */
  drain(): void;
  stop(): Promise<void>;
}

/**
 * Requests of one caller with the same capabilities share a session inside the gateway, and so its connections to
 * targets of earlier revisions. Nothing that a client can see depends on it: each request is authorized by its own
 * token.
 */
export function createStatelessHttp(parts: Omit<HttpTransportParts, 'bodies'>): StatelessHttp {
  const { multiplexer } = parts;
  const sessions = createSessionTable<Session>(parts);
  const calls = createStatelessCalls(parts);
  const listening = { ...parts, turns: new FairTurns(), open: new Set<Stop>() };
  /** The ids of sessions by what their requests have in common. */
  const ids = new Map<string, string>();

  const sessionFor = (caller: Caller, request: StatelessRequest) => {
    const capabilities = capabilitiesOf(request);
    const key = JSON.stringify([callerKey(caller), capabilities]);
    const known = ids.get(key);
    const found = known === undefined ? undefined : sessions.find(known, caller);
    if (known !== undefined && found?.kind === 'found') return { id: known, session: found.session };
    const opened = sessions.open(caller, () => {
      const session = multiplexer.open({
        stream: () => undefined,
        client: { version: statelessVersion, capabilities, key: callerKey(caller) },
      });
      const close = (): Promise<void> => {
        ids.delete(key);
        return session.close();
      };
      return { ...session, close };
    });
    if (opened !== undefined) ids.set(key, opened.id);
    return opened;
  };

  const serve = (exchange: Exchange, request: StatelessRequest, done: () => void): void => {
    const { caller } = exchange;
    const opened = sessionFor(caller, request);
    if (opened === undefined) {
      refuse(exchange, tooManySessions(parts.maxSessions), done);
      return;
    }
    const release = sessions.hold(opened.id);
    const reply: StatelessReply = createReply(parts, exchange, request, () => {
      release();
      calls.left(reply);
    });
    if (isOfWaitingCall(request)) {
      done();
      if (!calls.resume(reply)) reply.answer(unknownState);
    } else {
      calls.start(opened.session, reply, done);
    }
  };

  return {
    post(exchange, body, done) {
      const decoded = decodeStateless(body, exchange.request);
      if (exchange.response.destroyed || decoded.kind !== 'request') done();
      if (exchange.response.destroyed) return;
      if (decoded.kind === 'error') return sendError(exchange.response, decoded.error);
      if (decoded.kind === 'notification') return void exchange.response.writeHead(202).end();
      const { request } = decoded;
      const { id, method, params } = request;
      const messages = [{ jsonrpc: '2.0' as const, id, method, params }];
      const refused = parts.shutdownError(messages, false) ?? parts.stepUp(messages, exchange.caller);
      if (refused !== undefined) return refuse(exchange, refused, done);
      if (method === 'subscriptions/listen') return listen(listening, exchange, request, done);
      serve(exchange, request, done);
    },
    drain: () => endAll(listening.open),
    stop() {
      calls.stop();
      endAll(listening.open);
      return sessions.stop();
    },
  };
}

/** The capabilities that targets are told of. Clients of earlier revisions have no such tasks. */
function capabilitiesOf({ capabilities: declared }: StatelessRequest): JsonObject {
  const decoded = decodeClientCapabilities(declared);
  return declaresTasks(declared) ? withTasksDeclared(decoded) : decoded;
}

function refuse({ response }: Exchange, error: ErrorResponse, done: () => void): void {
  done();
  sendError(response, error);
}

function endAll(open: Iterable<Stop>): void {
  for (const end of open) end();
}

const unknownState = {
  jsonrpc: '2.0' as const,
  id: 0,
  error: {
    code: errorCode.invalidParams,
    message: 'Invalid params: requestState is of no call that waits for input; send the request without it',
  },
};
