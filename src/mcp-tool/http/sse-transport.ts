import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { EventStream, EventStreams } from '../../net/event-streams.ts';
import { eventText } from '../../net/sse.ts';

/** The response of one session, and where its client posts messages. */
interface SseTransportParts {
  readonly response: ServerResponse;
  readonly streams: EventStreams;
  /** Path of this server to which the client posts its messages. */
  readonly endpoint: string;
}

/**
 * The server side of HTTP+SSE: sends messages as events of one response, receives them from POST requests. The session
 * ends with its event stream.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export class SseTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly sessionId: string;
  readonly #parts: SseTransportParts;
  #stream: EventStream | undefined;

  constructor(sessionId: string, parts: SseTransportParts) {
    this.sessionId = sessionId;
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { response, streams, endpoint } = this.#parts;
    response.on('error', (error) => this.onerror?.(error));
    // Clients have no names here: one share for all.
    this.#stream = streams.open({ response, caller: '', closed: () => this.onclose?.() });
    this.#stream.write(eventText('endpoint', endpoint));
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#stream?.write(eventText('message', JSON.stringify(message)));
  }

  /** Passes a message that the client posted to the MCP server. */
  receive(message: JSONRPCMessage): void {
    this.onmessage?.(message);
  }

  async close(): Promise<void> {
    this.#parts.response.destroy();
  }
}
