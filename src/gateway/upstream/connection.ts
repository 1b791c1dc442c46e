import { asJsonObject } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import { untilAborted, within } from '../../net/deadline.ts';
import type { Message, RequestId } from '../rpc/model.ts';
import { createPeer, type Peer } from '../rpc/peer.ts';
import { implementation, protocolVersions } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { noteAnswerSize } from './answer-size.ts';
import { createFloodGuard, FloodError, noteFlood } from './flood-guard.ts';
import type { Capabilities, MessageSize, Transport, TransportKind, UpstreamParts } from './model.ts';
import { answeredId, requestIdOf } from './transport/message.ts';
import { createTransport } from './transport/transport.ts';

/** A URL and the transport to use there. */
export interface UpstreamEndpoint {
  readonly transport: TransportKind;
  readonly url: URL;
}

/** An initialized connection to a target. */
export interface Connection {
  readonly peer: Peer<undefined>;
  readonly capabilities: Capabilities;
  /** Rejects all requests with `reason` and terminates the session at the target, within a second. */
  close(reason: Error): Promise<void>;
}

/** Milliseconds that a target has to confirm the end of its session. */
const terminateTimeout = 1_000;

/**
 * Requests of a target are answered, and responses sent, this many at a time. A target needs little more than `ping`.
 */
const maxInFlight = 4;

/** What tools send while they work, as often as they like. */
const pacedMethods: readonly string[] = [
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
];

/** Requests whose response is still accepted, after they were cancelled: the oldest beyond this number are not. */
const maxAwaited = 1_000;

/**
 * Connects with one transport and performs the handshake. Offers no client capability to the target: its requests other
 * than `ping` get "Method not found".
 *
 * @param lost called once when the connection fails after the handshake
 */
export async function connect(
  endpoint: UpstreamEndpoint,
  parts: UpstreamParts,
  lost: () => void,
  signal: AbortSignal,
): Promise<Connection> {
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
    lost();
  };
  const incoming = createIncoming(parts, (message) => peer.receive(message, undefined), fail);
  const transport = createTransport(endpoint.transport, {
    ...parts,
    url: endpoint.url,
    target: parts.target.name,
    events: { ...incoming, lost: fail, streamFailed: parts.failed },
  });
  const peer = createTargetPeer(transport, parts, incoming.expect);
  try {
    await untilAborted(AbortSignal.any([signal, ended.signal]), transport.start());
    const capabilities = await initialize(transport, peer, signal);
    return {
      peer,
      capabilities,
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

/** The messages of a target: counts those that are no response to a request of the gateway. */
function createIncoming(parts: UpstreamParts, receive: (message: Message) => void, fail: (reason: Error) => void) {
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
  return {
    isAnswerAwaited: () => awaited.size > 0,
    /** Call it with the id of a request before it is sent. */
    expect(id: RequestId) {
      awaited.add(id);
      const [oldest] = awaited;
      if (awaited.size > maxAwaited && oldest !== undefined) awaited.delete(oldest);
    },
    received(message: Message, size: MessageSize) {
      const id = answeredId(message);
      if ('method' in message && pacedMethods.includes(message.method)) guard.notification(size);
      else if (id === undefined || !awaited.delete(id)) charge(() => guard.message(size));
      if ('result' in message) noteAnswerSize(message.result, size);
      receive(message);
    },
    invalid(size: MessageSize, refused?: string) {
      if (refused !== undefined) parts.failed(new Error(refused));
      charge(() => guard.message(size));
    },
    ignored: (lines: number) => charge(() => guard.lines(lines)),
    pace: guard.pace,
  };
}

function createTargetPeer(
  transport: Transport,
  parts: UpstreamParts,
  expect: (id: RequestId) => void,
): Peer<undefined> {
  let responding = 0;
  /**
   * Each response is an HTTP request: drops responses to a target that sends requests faster than it accepts responses.
   */
  const respond = async (message: Message): Promise<void> => {
    if (responding >= maxInFlight) {
      const reason = new Error('the target does not take the answers that it asked for');
      parts.failed(reason);
      throw reason;
    }
    responding += 1;
    await transport.send(message).finally(() => {
      responding -= 1;
    });
  };
  return createPeer<undefined>({
    send(message) {
      if ('id' in message && !('method' in message)) return respond(message);
      const id = requestIdOf(message);
      if (id !== undefined) expect(id);
      return transport.send(message);
    },
    request({ method }) {
      if (method === 'ping') return Promise.resolve({});
      return Promise.reject(new RpcError(errorCode.methodNotFound, 'Method not found'));
    },
    notification: (method, params) => parts.notification(method, params),
    maxInFlight,
  });
}

async function initialize(transport: Transport, peer: Peer<undefined>, signal: AbortSignal): Promise<Capabilities> {
  const params = { protocolVersion: protocolVersions[0], capabilities: {}, clientInfo: { ...implementation } };
  const { protocolVersion, capabilities } = await peer.request('initialize', params, signal);
  if (typeof protocolVersion !== 'string' || !protocolVersions.includes(protocolVersion)) {
    throw new Error(`the target speaks MCP ${quoted(String(protocolVersion))}, which is none of ${protocolVersions}`);
  }
  transport.setProtocolVersion(protocolVersion);
  await untilAborted(signal, transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return asJsonObject(capabilities);
}

async function terminateSession(transport: Transport, { clock }: UpstreamParts): Promise<void> {
  await within({ clock, milliseconds: terminateTimeout }, () => transport.terminate());
}

/** A target that is gone needs no end of its session. */
function ignoreFailure(): void {}
