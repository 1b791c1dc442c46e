import { SSEClientTransport, SseError } from '@modelcontextprotocol/client';
import { asJsonObject } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import { untilAborted, within } from '../../net/deadline.ts';
import type { Message } from '../rpc/model.ts';
import { createPeer, type Peer } from '../rpc/peer.ts';
import { implementation, isTooDeep, protocolVersions } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { Capabilities, UpstreamParts } from './model.ts';
import { createTransport, type Transport, type UpstreamEndpoint } from './transport.ts';

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
  const transport = createTransport(endpoint, parts);
  const peer = createTargetPeer(transport, parts);
  const end = (reason: Error): void => {
    transport.onclose = ignoreClose;
    peer.close(reason);
    void transport.close().catch(ignoreFailure);
  };
  const fail = (reason: Error): void => {
    end(reason);
    lost();
  };
  transport.onmessage = (message) => {
    const accepted = isTooDeep(message) ? errorResponseFor(message) : message;
    if (accepted !== undefined) peer.receive(accepted, undefined);
  };
  transport.onclose = () => fail(new Error('the target closed the connection'));
  // An EventSource would reconnect, which opens a new session without a handshake.
  transport.onerror = (error) => {
    if (error instanceof SseError) fail(error);
  };
  try {
    await untilAborted(signal, transport.start());
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

function createTargetPeer(transport: Transport, parts: UpstreamParts): Peer<undefined> {
  let responding = 0;
  /**
   * Each response is an HTTP request: drops responses to a target that sends requests faster than it accepts responses.
   */
  const respond = async (message: Message): Promise<void> => {
    if (responding >= maxInFlight) throw new Error('the target does not take the answers that it asked for');
    responding += 1;
    await transport.send(message).finally(() => {
      responding -= 1;
    });
  };
  return createPeer<undefined>({
    send(message, { lost }) {
      if ('id' in message && !('method' in message)) return respond(message);
      if (transport instanceof SSEClientTransport || lost === undefined) return transport.send(message);
      return transport.send(message, { onRequestStreamEnd: lost });
    },
    request({ method }) {
      if (method === 'ping') return Promise.resolve({});
      return Promise.reject(new RpcError(errorCode.methodNotFound, 'Method not found'));
    },
    notification: (method, params) => parts.notification(method, params),
    maxInFlight,
  });
}

/**
 * Replaces a response that is nested too deep by an error response. Returns `undefined` for requests and notifications.
 */
function errorResponseFor(message: Message): Message | undefined {
  if ('method' in message || message.id === undefined) return undefined;
  const error = { code: errorCode.internalError, message: 'The answer of the target is nested too deep' };
  return { jsonrpc: '2.0', id: message.id, error };
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

/** Ends the session with `DELETE`. An HTTP+SSE session ends with its stream. */
async function terminateSession(transport: Transport, { clock }: UpstreamParts): Promise<void> {
  if (transport instanceof SSEClientTransport) return;
  await within({ clock, milliseconds: terminateTimeout }, () => transport.terminateSession());
}

/** The end was caused from here, so it is not reported. */
function ignoreClose(): void {}

/** A target that is gone needs no end of its session. */
function ignoreFailure(): void {}
