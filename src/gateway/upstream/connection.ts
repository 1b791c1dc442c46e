import { quoted } from '../../json/quoted.ts';
import { untilAborted, within } from '../../net/deadline.ts';
import type { Message, MessageSize, RequestId, Result } from '../rpc/model.ts';
import { withListed } from '../rpc/param-headers.ts';
import { createPeer, type Peer } from '../rpc/peer.ts';
import { implementation, protocolVersions, statelessVersion } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { noteAnswerSize } from './answer-size.ts';
import { askedByError, withoutAnswers } from './elicitation-required.ts';
import { createFloodGuard, FloodError, noteFlood } from './flood-guard.ts';
import { handshakeOf } from './handshake.ts';
import type { Connection, Handshake, Lost, Transport, TransportKind, UpstreamParts } from './model.ts';
import { repeatedHeaders, withEnvelope } from './stateless-connection.ts';
import { withTaskTools } from './tasks/task-adapter.ts';
import { answeredId, requestIdOf } from './transport/message.ts';
import { RepeatedAnswers } from './transport/repeated-answers.ts';
import { createTransport } from './transport/transport.ts';

/** A URL and the transport to use there. */
export interface UpstreamEndpoint {
  readonly transport: TransportKind;
  readonly url: URL;
}

/** Milliseconds that a target has to confirm the end of its session. */
const terminateTimeout = 1_000;

/** Requests of a target are answered, and responses sent, this many at a time. */
const maxInFlight = 16;

/**
 * The ids of a connection begin anywhere: connections of HTTP are shared by all callers of a target, and an answer that a
 * target, or a proxy, gives once too often would be taken for that of the next request there if that had the same id.
 * Those that follow are below 2^31 as well, since some servers read ids as 32-bit numbers.
 */
const maxFirstId = 2 ** 31 - 2 ** 24;

/** What tools send while they work, as often as they like. */
const pacedMethods: readonly string[] = [
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
];

/** Requests whose response is still accepted, after they were cancelled: the oldest beyond this number are not. */
const maxAwaited = 1_000;

/**
 * Connects with one transport and performs the handshake, or what takes its place.
 *
 * @param lost called once when the connection fails after the handshake, with the reason
 */
export async function connect(
  endpoint: UpstreamEndpoint,
  parts: UpstreamParts,
  lost: Lost,
  signal: AbortSignal,
): Promise<Connection> {
  const isStateless = endpoint.transport === 'stateless-http';
  const ended = new AbortController();
  const end = (reason: Error): void => {
    if (ended.signal.aborted) return;
    ended.abort(reason);
    peer.close(reason);
    transport.close();
  };
  const fail = (reason: Error): void => {
    if (ended.signal.aborted) return;
    if (reason instanceof FloodError) noteFlood(parts);
    const isOffence = reason instanceof FloodError || reason instanceof AnswerLimitError;
    // A request in flight reports the same reason.
    if (isOffence && !incoming.isAnswerAwaited()) parts.failed(reason);
    end(reason);
    lost(reason);
  };
  const incoming = createIncoming(parts, (message, about) => peer.receive(message, { about }), fail);
  parts.memory.repeated ??= new RepeatedAnswers();
  const transport = createTransport(endpoint.transport, {
    ...parts,
    url: endpoint.url,
    target: parts.target.name,
    repeated: parts.memory.repeated,
    events: { ...incoming, lost: fail, streamFailed: parts.failed },
    headersOf: isStateless ? (message) => repeatedHeaders(parts, message) : undefined,
  });
  const exchanges = new Map<RequestId, number>();
  const peer = createTargetPeer(transport, parts, incoming.expect, exchanges);
  try {
    await untilAborted(AbortSignal.any([signal, ended.signal]), transport.start());
    const handshake = await (isStateless ? discover : initialize)(transport, peer, parts, signal);
    parts.memory.handshake = handshake;
    return {
      handshake,
      request: createRequests(peer, parts, { isStateless, exchanges }),
      notify: (method, params) => peer.notify(method, params),
      async close(reason) {
        peer.close(reason);
        await terminateSession(transport, parts).catch(ignoreFailure);
        end(reason);
      },
    };
  } catch (error) {
    end(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/**
 * Sends requests, and notes what each is for as long as it is in flight. Learns of a list which headers its tools have.
 */
function createRequests(
  peer: Peer<Arrival>,
  { target, memory, kept, input, clientCapabilities }: UpstreamParts,
  { isStateless, exchanges }: { readonly isStateless: boolean; readonly exchanges: Map<RequestId, number> },
): Connection['request'] {
  const isForStateless = input === 'passed on';
  /** How often lists had been forgotten when the first page of tools was listed. */
  let forgottenBefore = -1;
  const send: Connection['request'] = (method, params, signal, exchange) => {
    if (exchange?.about === undefined) return peer.request(method, params, { signal, arriving: exchange?.arriving });
    const { about, paused, headers = {} } = exchange;
    let sentId: RequestId | undefined;
    const sent = (id: RequestId): void => {
      sentId = id;
      exchanges.set(id, about);
    };
    return peer.request(method, params, { signal, paused, headers, sent }).finally(() => {
      if (sentId !== undefined) exchanges.delete(sentId);
    });
  };
  /** A client of MCP 2026-07-28 gives its input in a repeated request, of which an earlier target knows nothing. */
  const sendToEarlier: Connection['request'] = async (method, params, signal, exchange) => {
    if (params?.['requestState'] !== undefined) throw unknownState();
    const asked = (error: unknown): Result => askedByError(error, method, clientCapabilities);
    return send(method, withoutAnswers(params), signal, exchange).catch(asked);
  };
  return async (method, params, signal, exchange) => {
    const isTranslated = isForStateless && !isStateless;
    const result = await (isTranslated ? sendToEarlier : send)(method, params, signal, exchange);
    if (method === 'tools/list' && (isStateless || isForStateless)) {
      const { tools } = result;
      memory.paramHeaders = withListed(memory.paramHeaders, tools, kept.keeper(target.name, 'headers'));
      if (!isStateless) {
        memory.taskTools = withTaskTools(memory.taskTools, tools, kept.keeper(target.name, 'task tools'));
      }
      if (params?.['cursor'] === undefined) forgottenBefore = memory.listsForgotten;
      // The cursor of a page is in the page before it, so that somebody has listed all of them.
      const isWhole = typeof result['nextCursor'] !== 'string' && forgottenBefore === memory.listsForgotten;
      if (isWhole) memory.areToolsListed = true;
    }
    return result;
  };
}

/** The messages of a target: counts those that are no response to a request of the gateway. */
function createIncoming(
  parts: UpstreamParts,
  receive: (message: Message, about: RequestId | undefined) => void,
  fail: (reason: Error) => void,
) {
  const guard = createFloodGuard(parts.clock);
  const awaited = new Set<RequestId>();
  const charge = (charged: () => void): void => {
    try {
      charged();
    } catch (error) {
      if (error instanceof Error) fail(error);
      throw error;
    }
  };
  const pace = (): Promise<void> | undefined => {
    const wait = guard.pace();
    if (wait !== undefined) parts.delayed();
    return wait;
  };
  return {
    isAnswerAwaited: () => awaited.size > 0,
    /** Call it with the id of a request before it is sent. */
    expect(id: RequestId) {
      awaited.add(id);
      const [oldest] = awaited;
      if (awaited.size > maxAwaited && oldest !== undefined) awaited.delete(oldest);
    },
    received(message: Message, size: MessageSize, about?: RequestId) {
      const id = answeredId(message);
      if ('method' in message && pacedMethods.includes(message.method)) guard.notification(size);
      else if (id === undefined || !awaited.delete(id)) charge(() => guard.message(size));
      if ('result' in message) noteAnswerSize(message.result, size);
      receive(message, about);
    },
    invalid(size: MessageSize, refused?: string) {
      if (refused !== undefined) parts.failed(new Error(refused));
      charge(() => guard.message(size));
    },
    ignored: (lines: number) => charge(() => guard.lines(lines)),
    pace,
  };
}

/** Where a message of the target has arrived. */
interface Arrival {
  /** The request on whose stream; `undefined` for a stream of the session. */
  readonly about: RequestId | undefined;
}

/** @param exchanges {@link Exchange.about} of the requests in flight */
function createTargetPeer(
  transport: Transport,
  parts: UpstreamParts,
  expect: (id: RequestId) => void,
  exchanges: ReadonlyMap<RequestId, number>,
): Peer<Arrival> {
  const aboutOf = ({ about }: Arrival): number | undefined => (about === undefined ? undefined : exchanges.get(about));
  let responding = 0;
  /**
   * Each response is an HTTP request: drops responses to a target that sends requests faster than it accepts responses.
   */
  const respond = async (message: Message): Promise<void> => {
    if (responding >= maxInFlight) {
      const reason = new Error(`the target does not take the answers that it asked for: ${maxInFlight} wait`);
      parts.failed(reason);
      throw reason;
    }
    responding += 1;
    await transport.send(message).finally(() => {
      responding -= 1;
    });
  };
  return createPeer<Arrival>({
    send(message, { paused, headers, arriving }) {
      if ('id' in message && !('method' in message)) return respond(message);
      const id = requestIdOf(message);
      if (id !== undefined) expect(id);
      return transport.send(message, { paused, headers, arriving });
    },
    request(request, arrival) {
      return request.method === 'ping' ? Promise.resolve({}) : parts.request(request, aboutOf(arrival));
    },
    notification: (method, params, arrival) => parts.notification(method, params, aboutOf(arrival)),
    maxInFlight,
    firstId: Math.floor(parts.random() * maxFirstId),
  });
}

/** Over HTTP+SSE, an answer is looked at before it is parsed if somebody counts it. */
function arriving(): void {}

async function initialize(
  transport: Transport,
  peer: Peer<Arrival>,
  { clientCapabilities }: UpstreamParts,
  signal: AbortSignal,
): Promise<Handshake> {
  const params = {
    protocolVersion: protocolVersions[0],
    capabilities: clientCapabilities,
    clientInfo: { ...implementation },
  };
  const { protocolVersion, capabilities, instructions } = await peer.request('initialize', params, {
    signal,
    arriving,
  });
  // A target that answers as it would to any other request: it is asked for that revision next.
  if (protocolVersion === statelessVersion) {
    throw new RpcError(errorCode.unsupportedProtocolVersion, `the target speaks MCP ${statelessVersion} alone`);
  }
  if (typeof protocolVersion !== 'string' || !protocolVersions.includes(protocolVersion)) {
    throw new Error(`the target speaks MCP ${quoted(String(protocolVersion))}, which is none of ${protocolVersions}`);
  }
  transport.setProtocolVersion(protocolVersion);
  await untilAborted(signal, transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return handshakeOf(capabilities, instructions);
}

/** Asks a target of MCP 2026-07-28 what it has; there is no handshake. */
async function discover(
  transport: Transport,
  peer: Peer<Arrival>,
  parts: UpstreamParts,
  signal: AbortSignal,
): Promise<Handshake> {
  transport.setProtocolVersion(statelessVersion);
  const result = await peer.request('server/discover', withEnvelope(undefined, parts), { signal, arriving });
  const { supportedVersions, capabilities, instructions } = result;
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(statelessVersion)) {
    throw new RpcError(errorCode.unsupportedProtocolVersion, `the target does not speak MCP ${statelessVersion}`);
  }
  return handshakeOf(capabilities, instructions);
}

/** A target with a handshake has given no client such a state: the request would begin anew there. */
function unknownState(): RpcError {
  const message = 'Invalid params: requestState is of no call that waits for input; send the request without it';
  return new RpcError(errorCode.invalidParams, message);
}

async function terminateSession(transport: Transport, { clock }: UpstreamParts): Promise<void> {
  await within({ clock, milliseconds: terminateTimeout }, () => transport.terminate());
}

/** A target that is gone needs no end of its session. */
function ignoreFailure(): void {}
