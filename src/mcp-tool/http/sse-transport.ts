import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { Clock, Stop } from '../../edges.ts';
import { eventStreamHeaders, eventText, keepAlive, keepAliveInterval } from '../../net/sse.ts';
import { every } from '../../net/timers.ts';

/** Send buffer limit in bytes: the connection is closed before the next message if the client left more unread. */
const maxUnreadBytes = 16 * 1024 * 1024;

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
  readonly #response: ServerResponse;
  readonly #endpoint: string;
  readonly #clock: Clock;
  #stopKeepAlive: Stop = () => {};

  /** @param endpoint path of this server to which the client posts its messages */
  constructor(response: ServerResponse, sessionId: string, endpoint: string, clock: Clock) {
    this.#response = response;
    this.sessionId = sessionId;
    this.#endpoint = endpoint;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    this.#response.once('close', () => {
      this.#stopKeepAlive();
      this.onclose?.();
    });
    this.#response.on('error', (error) => this.onerror?.(error));
    this.#response.writeHead(200, eventStreamHeaders);
    this.#response.write(eventText('endpoint', this.#endpoint));
    this.#stopKeepAlive = every(this.#clock, keepAliveInterval, () => {
      if (this.#response.writableLength === 0) this.#response.write(keepAlive);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#response.writableLength > maxUnreadBytes) return this.close();
    this.#response.write(eventText('message', JSON.stringify(message)));
  }

  /** Passes a message that the client posted to the MCP server. */
  receive(message: JSONRPCMessage): void {
    this.onmessage?.(message);
  }

  async close(): Promise<void> {
    this.#response.destroy();
  }
}
