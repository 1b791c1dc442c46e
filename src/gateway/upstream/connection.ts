import { SSEClientTransport, SseError } from '@modelcontextprotocol/client';
import { untilAborted, within } from '../../net/deadline.ts';
import { isTooDeep } from '../rpc/depth.ts';
import type { Message } from '../rpc/model.ts';
import { createPeer, type Peer } from '../rpc/peer.ts';
import { errorCode, implementation, protocolVersions } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Capabilities, UpstreamParts } from './model.ts';
import { type Address, createTransport, type Transport } from './transport.ts';

/** An initialized connection to a target. */
export interface Connection {
  readonly peer: Peer<undefined>;
  readonly capabilities: Capabilities;
  /** Fails everything in flight with `reason`; settles when the target was told, or could not be told within a second. */
  close(reason: Error): Promise<void>;
}

/** A target is given this long to end our session when we leave. */
const farewellMilliseconds = 1_000;

/** A target asks us for little more than a ping, and whatever it says to an answer may be large. */
const maxInFlight = 4;

/**
 * Opens a connection over one wire and shakes hands. No capability of a client is offered to the target: what it asks
 * of us nevertheless is answered with "method not found".
 *
 * @param lost called once when the connection breaks by itself after the handshake
 */
export async function connect(
  address: Address,
  parts: UpstreamParts,
  lost: () => void,
  signal: AbortSignal,
): Promise<Connection> {
  const transport = createTransport(address, parts);
  const peer = createTargetPeer(transport, parts);
  const end = (reason: Error): void => {
    transport.onclose = noop;
    peer.close(reason);
    void transport.close().catch(noop);
  };
  const broken = (reason: Error): void => {
    end(reason);
    lost();
  };
  transport.onmessage = (message) => {
    const flat = isTooDeep(message) ? errorInsteadOf(message) : message;
    if (flat !== undefined) peer.receive(flat, undefined);
  };
  transport.onclose = () => broken(new Error('the target closed the connection'));
  // An EventSource would open a new stream, and with it a new session that nobody has initialized.
  transport.onerror = (error) => {
    if (error instanceof SseError) broken(error);
  };
  try {
    await untilAborted(signal, transport.start());
    const capabilities = await shakeHands(transport, peer, signal);
    return {
      peer,
      capabilities,
      async close(reason) {
        peer.close(reason);
        await sayFarewell(transport, parts).catch(noop);
        end(reason);
      },
    };
  } catch (error) {
    end(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

function createTargetPeer(transport: Transport, parts: UpstreamParts): Peer<undefined> {
  let answering = 0;
  /** Every answer is a request of ours: a target that asks faster than it takes answers goes without them. */
  const answer = async (message: Message): Promise<void> => {
    if (answering >= maxInFlight) throw new Error('the target does not take the answers that it asked for');
    answering += 1;
    await transport.send(message).finally(() => {
      answering -= 1;
    });
  };
  return createPeer<undefined>({
    send(message, { lost }) {
      if ('id' in message && !('method' in message)) return answer(message);
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

/** Whoever waits for an answer that could not be passed on learns that. Other such messages are dropped. */
function errorInsteadOf(message: Message): Message | undefined {
  if ('method' in message || message.id === undefined) return undefined;
  const error = { code: errorCode.internalError, message: 'The answer of the target is nested too deep' };
  return { jsonrpc: '2.0', id: message.id, error };
}

async function shakeHands(transport: Transport, peer: Peer<undefined>, signal: AbortSignal): Promise<Capabilities> {
  const offer = { protocolVersion: protocolVersions[0], capabilities: {}, clientInfo: { ...implementation } };
  const { protocolVersion, capabilities } = await peer.request('initialize', offer, signal);
  if (typeof protocolVersion !== 'string' || !protocolVersions.includes(protocolVersion)) {
    throw new Error(`the target speaks MCP ${JSON.stringify(protocolVersion)}, which is none of ${protocolVersions}`);
  }
  transport.setProtocolVersion(protocolVersion);
  await untilAborted(signal, transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return isObject(capabilities) ? capabilities : {};
}

async function sayFarewell(transport: Transport, { clock }: UpstreamParts): Promise<void> {
  if (transport instanceof SSEClientTransport) return;
  await within({ clock, milliseconds: farewellMilliseconds }, () => transport.terminateSession());
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noop(): void {}
