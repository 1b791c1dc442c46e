import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { Clock, Stop } from '../../edges.ts';

const keepAlive = 15_000;
/** What a client that does not read may leave lying here, in bytes; one answer may be larger on its own. */
const mostUnread = 16 * 1024 * 1024;

/**
 * The server's side of HTTP+SSE: its messages go out as events of one stream, the client's come in by POST. The
 * connection is the session, so the transport closes with its stream.
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

  /** @param endpoint where the client posts its messages: a path of this server. */
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
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    this.#response.write(`event: endpoint\ndata: ${this.#endpoint}\n\n`);
    this.#keepAlive();
  }

  /** JSON has no line ends of its own, so a message is one line of an event. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#response.writableLength > mostUnread) return this.close();
    this.#response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** Hands a message that was posted to the server. */
  receive(message: JSONRPCMessage): void {
    this.onmessage?.(message);
  }

  async close(): Promise<void> {
    this.#response.destroy();
  }

  /** A comment, which clients skip: proxies end streams that are silent for long. */
  #keepAlive(): void {
    this.#stopKeepAlive = this.#clock.after(keepAlive, () => {
      if (this.#response.writableLength === 0) this.#response.write(': keep-alive\n\n');
      this.#keepAlive();
    });
  }
}
