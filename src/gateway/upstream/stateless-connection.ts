import type { IncomingRequest, Message, Params, Result } from '../rpc/model.ts';
import {
  implementation,
  perRequestCapabilitiesKey,
  perRequestLogLevelKey,
  perRequestVersionKey,
  statelessVersion,
} from '../rpc/protocol.ts';
import { encodeHeader, headersOf, namedIn } from '../rpc/repeated-headers.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { answersTo, asksForInput, inputRequestsOf, withAnswers, withElicitationId } from './input-required.ts';
import { createListening } from './listening.ts';
import type { Connection, Lost, UpstreamParts } from './model.ts';
import { pause, reconnectDelay } from './transport/notification-stream.ts';

/** Times that one request is repeated with the input that its result asks for. */
const maxRounds = 16;

/** Pages of a list of tools that are read to learn the headers of a call. */
const maxPages = 20;

/** The headers that repeat what a request says (MCP 2026-07-28, Streamable HTTP). */
export function repeatedHeaders(
  { memory }: Pick<UpstreamParts, 'memory'>,
  message: Message,
): Readonly<Record<string, string>> {
  if (!('method' in message)) return {};
  const { method, params } = message;
  const name = namedIn(method, params);
  const declared = method === 'tools/call' ? memory.paramHeaders?.get(name ?? '') : undefined;
  return {
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': encodeHeader(name) }),
    ...(declared === undefined ? {} : headersOf(declared, params?.['arguments'])),
  };
}

/** Adds what each request says of its sender. What the client has said there itself is replaced. */
export function withEnvelope(
  params: Params | undefined,
  { clientCapabilities }: Pick<UpstreamParts, 'clientCapabilities'>,
  logLevel?: string,
): Params {
  const envelope = {
    [perRequestVersionKey]: statelessVersion,
    'io.modelcontextprotocol/clientInfo': { ...implementation },
    [perRequestCapabilitiesKey]: clientCapabilities,
    ...(logLevel === undefined ? {} : { [perRequestLogLevelKey]: logLevel }),
  };
  if (params?._meta === undefined) return changed(params ?? {}, [{ path: ['_meta'], value: envelope }]);
  return changed(
    params,
    Object.entries(envelope).map(([name, value]) => ({ path: ['_meta', name], value })),
  );
}

/**
 * Connects to a target of MCP 2026-07-28, and listens to it if there is a client. The connection is used as one to a
 * target of an earlier revision: what has become a stream, a part of each request or a result there is a request here.
 *
 * @param connect makes a connection that sends requests as they are
 */
export async function connectStateless(
  connect: (parts: UpstreamParts, lost: Lost) => Promise<Connection>,
  parts: UpstreamParts,
  lost: Lost,
): Promise<Connection> {
  const listening = createListening({
    ...parts,
    listen: (params, until, exchange) =>
      connection.request('subscriptions/listen', withEnvelope(params, parts), until, exchange),
  });
  const own: UpstreamParts = {
    ...parts,
    notification(method, params, about) {
      const delivered = listening.received(method, params, about);
      if (delivered !== undefined) parts.notification(method, delivered.params, delivered.about);
    },
    // In this revision only clients send requests, and nothing would carry the response.
    request: () => Promise.reject(new RpcError(errorCode.methodNotFound, 'Method not found')),
  };
  const connection = await connect(own, (reason) => {
    listening.close();
    lost(reason);
  });
  if (parts.input !== 'refused') listening.start(connection.handshake.capabilities);
  const request = createRequests(connection, parts);
  let logLevel: string | undefined;

  return {
    handshake: connection.handshake,
    async request(method, params, until, exchange) {
      const uri = String(params?.['uri']);
      // A client of this revision says it in each request.
      if (method === 'logging/setLevel') logLevel = parts.input === 'passed on' ? undefined : String(params?.['level']);
      else if (method === 'resources/subscribe') await listening.add(uri, until);
      else if (method === 'resources/unsubscribe') listening.remove(uri);
      else return request(method, withEnvelope(params, parts, logLevel), until, exchange);
      return {};
    },
    // A client says nothing but requests.
    notify() {},
    async close(reason) {
      listening.close();
      await connection.close(reason);
    },
  };
}

/** Sends requests with what a target misses: headers of a tool that was not listed yet, and input of the client. */
function createRequests(connection: Connection, parts: UpstreamParts): Connection['request'] {
  /** Reads the list of tools again, so that the headers of a call are known. */
  const learnHeaders = async (until: AbortSignal): Promise<void> => {
    let cursor: string | undefined;
    for (let page = 1; page <= maxPages; page += 1) {
      const result = await connection.request(
        'tools/list',
        withEnvelope(cursor === undefined ? {} : { cursor }, parts),
        until,
      );
      if (typeof result['nextCursor'] !== 'string' || result['nextCursor'] === cursor) return;
      cursor = result['nextCursor'];
    }
  };

  /**
   * A target that misses a header has not processed the call. An earlier client knows nothing of headers; one of this
   * revision has to send them itself.
   */
  const send: Connection['request'] = async (method, params, until, exchange) => {
    try {
      return await connection.request(method, params, until, exchange);
    } catch (error) {
      const misses = error instanceof RpcError && error.code === errorCode.headerMismatch && method === 'tools/call';
      if (!misses) throw error;
      await learnHeaders(until);
      if (parts.input === 'passed on') throw error;
      return connection.request(method, params, until, exchange);
    }
  };

  /** One that no other connection in the session of the client has given. */
  const beginning = Math.floor(parts.random() * Number.MAX_SAFE_INTEGER).toString(36);
  let elicitations = 0;
  const elicitationId = (): string => {
    elicitations += 1;
    return `${beginning}-${elicitations}`;
  };

  return async (method, params, until, exchange) => {
    let current = params;
    for (let round = 1; ; round += 1) {
      const result: Result = await send(method, current, until, exchange);
      if (!asksForInput(result)) return result;
      const asked = inputRequestsOf(method, result, parts.clientCapabilities);
      if (parts.input === 'passed on') return result;
      if (parts.input === 'refused') throw new Error('asks for input where no client could give it');
      if (round > maxRounds) throw new AnswerLimitError(`it asks for input more than ${maxRounds} times`);
      // Without a question the target wants the same request again later.
      if (asked.length === 0) await pause(parts.clock, reconnectDelay(round, undefined, parts.random), until);
      const ask = (question: IncomingRequest): Promise<Result> =>
        parts.request(withElicitationId(question, elicitationId), exchange?.about);
      const answers = await answersTo(asked, ask, until);
      current = withAnswers(params, answers, result);
    }
  };
}
