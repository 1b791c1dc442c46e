import { pause } from '../../net/timers.ts';
import type { Message, Params, Result } from '../rpc/model.ts';
import {
  implementation,
  perRequestCapabilitiesKey,
  perRequestLogLevelKey,
  perRequestVersionKey,
  statelessVersion,
  subscribeTask,
} from '../rpc/protocol.ts';
import { encodeHeader, headersOf, namedIn } from '../rpc/repeated-headers.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { declaresTasks, withTasksDeclared } from '../rpc/task-states.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { answersTo, asksForInput, inputRequestsOf, withAnswers, withElicitationId } from './input-required.ts';
import { createListening } from './listening.ts';
import type { Capabilities, Connection, Handshake, Lost, UpstreamParts } from './model.ts';
import { createTaskDriver } from './tasks/task-driver.ts';
import { reconnectDelay } from './transport/notification-stream.ts';

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
  const declared = method === 'tools/call' ? memory.paramHeaders?.byTool.get(name ?? '') : undefined;
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
  const isDriven = parts.input === 'asked for' && declaresTasks(connection.handshake.capabilities);
  const declared = isDriven ? { ...parts, clientCapabilities: withTasksDeclared(parts.clientCapabilities) } : parts;
  const asked = { ...parts, request: withElicitationIds(parts) };
  const request = createRequests(connection, asked);
  let logLevel: string | undefined;
  const send: Connection['request'] = (method, params, ...waiting) =>
    request(method, withEnvelope(params, declared, logLevel), ...waiting);
  const sendOrDrive = isDriven ? createTaskDriver(send, asked) : send;

  return {
    handshake: isDriven ? withEarlierTasks(connection.handshake) : connection.handshake,
    async request(method, params, until, exchange) {
      const uri = String(params?.['uri']);
      // A client of this revision says it in each request.
      if (method === 'logging/setLevel') logLevel = parts.input === 'passed on' ? undefined : String(params?.['level']);
      else if (method === 'resources/subscribe') await listening.add('resourceSubscriptions', uri, until);
      else if (method === 'resources/unsubscribe') listening.remove('resourceSubscriptions', uri);
      else if (method === subscribeTask) await listening.add('taskIds', String(params?.['taskId']), until);
      else return sendOrDrive(method, params, until, exchange);
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

/** Asks the client, who knows an elicitation by an id that no other connection in its session has given. */
function withElicitationIds({ random, request }: UpstreamParts): UpstreamParts['request'] {
  const beginning = Math.floor(random() * Number.MAX_SAFE_INTEGER).toString(36);
  let elicitations = 0;
  const elicitationId = (): string => {
    elicitations += 1;
    return `${beginning}-${elicitations}`;
  };
  return (question, about) => request(withElicitationId(question, elicitationId), about);
}

/** What a target of MCP 2025-11-25 with such tasks says of them. It has no list of them. */
function withEarlierTasks({ capabilities, instructions }: Handshake): Handshake {
  const tasks: Capabilities = { cancel: {}, requests: { tools: { call: {} } } };
  return { capabilities: { ...capabilities, tasks }, instructions };
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
      const answers = await answersTo(asked, (question) => parts.request(question, exchange?.about), until);
      current = withAnswers(params, answers, result);
    }
  };
}
