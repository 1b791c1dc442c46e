import type { Stop } from '../../../edges.ts';
import { quoted } from '../../../json/quoted.ts';
import type { TargetRequest, TargetResponse } from '../../model.ts';
import type { Message, RequestId } from '../../rpc/model.ts';
import { encodeMessage } from '../../rpc/source-text.ts';
import type { Transport, TransportEvents, TransportKind, TransportOptions, TransportParts } from '../model.ts';
import {
  discard,
  fetchWithinOrigin,
  HttpStatusError,
  lingerTime,
  MediaTypeError,
  mediaTypeOf,
  sendUnanswered,
  statusError,
} from './http-exchange.ts';
import { type Incoming, type Resumption, readJson, readMessages } from './incoming-stream.ts';
import { answeredId, cancelledId, maxBytesOf, requestIdOf } from './message.ts';
import { followNotifications, pauseForTarget, reconnectDelay } from './notification-stream.ts';

/** A request whose response is not complete. */
interface Exchange {
  readonly abort: AbortController;
  answered: boolean;
  stopLinger: Stop;
}

/** Attempts in a row to resume the stream of a response that fail, until the response is given up. */
const maxResumptions = 5;

/**
 * The Streamable HTTP transport (MCP 2025-03-26 to 2025-11-25): each message is a POST; a request is answered by JSON
 * or by an event stream, which is resumed when it ends early and has ids. A GET stream carries notifications.
 *
 * That of MCP 2026-07-28 is the part of it without sessions: requests only, each with headers that repeat what it says.
 * Errors have other statuses than 200, and a request is cancelled by closing its stream.
 */
export class StreamableHttpTransport implements Transport {
  readonly #parts: TransportParts;
  readonly #isStateless: boolean;
  readonly #closed = new AbortController();
  readonly #exchanges = new Map<RequestId, Exchange>();
  #sessionId: string | undefined;
  #protocolVersion: string | undefined;

  constructor(parts: TransportParts, kind: Exclude<TransportKind, 'http-sse'>) {
    this.#isStateless = kind === 'stateless-http';
    const received: TransportEvents['received'] = (message, size, about) => {
      this.#noteAnswer(message);
      parts.events.received(message, size, about);
    };
    this.#parts = { ...parts, events: { ...parts.events, received } };
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async send(message: Message, options: TransportOptions = {}): Promise<void> {
    if (this.#closed.signal.aborted) throw new Error('the connection is closed');
    const id = requestIdOf(message);
    if (id !== undefined) return this.#request(id, message, options);
    const { signal } = this.#closed;
    // Its response is not needed, and might never come.
    this.#exchanges.get(cancelledId(message) ?? '')?.abort.abort();
    if (this.#isStateless) return;
    await sendUnanswered(this.#parts, signal, async (until) => discard(await this.#post(message, until)));
    if ('method' in message && message.method === 'notifications/initialized') {
      void followNotifications(this.#parts, (lastEventId) => this.#openStream(signal, lastEventId), signal);
    }
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  async terminate(): Promise<void> {
    if (this.#sessionId !== undefined)
      await discard(await this.#fetch('DELETE', { ...this.#parts.headers }, this.#closed.signal));
  }

  close(): void {
    this.#closed.abort();
    for (const { abort } of this.#exchanges.values()) abort.abort();
  }

  async #request(id: RequestId, message: Message, { paused, headers, arriving }: TransportOptions): Promise<void> {
    const exchange: Exchange = { abort: new AbortController(), answered: false, stopLinger: () => {} };
    const events = aboutRequest(id, this.#parts.events, (answered) => {
      if (exchange.answered || this.#exchanges.has(answered)) return;
      throw new Error('the answer names another request: its id is not that of this one');
    });
    const parse = this.#parts.repeated?.to(message);
    const incoming = { ...this.#parts, events, maxBytes: maxBytesOf(message), arriving, parse };
    const resumption: Resumption = { lastEventId: undefined, retry: undefined };
    this.#exchanges.set(id, exchange);
    try {
      const response = await this.#post(message, exchange.abort.signal, headers);
      const { status } = response;
      await this.#readResponse(response, incoming, resumption);
      if (!exchange.answered && !response.ok) {
        throw new HttpStatusError(`answered with status ${status} and no JSON-RPC error`, status, false);
      }
      if (!exchange.answered && !this.#isStateless && resumption.lastEventId !== undefined) {
        paused?.();
        await this.#resume(exchange, incoming, resumption);
      }
    } catch (error) {
      if (!exchange.answered) throw error;
    } finally {
      exchange.stopLinger();
      this.#exchanges.delete(id);
    }
    if (!exchange.answered) throw new Error('the answer was cut off');
  }

  /** Reads a response to a request, which may or may not contain the answer. */
  async #readResponse(response: TargetResponse, incoming: Incoming, resumption: Resumption): Promise<void> {
    const type = mediaTypeOf(response);
    if (response.body !== null) {
      if (type === 'text/event-stream') return readMessages(response.body, incoming, resumption);
      if (type === 'application/json') return readJson(response.body, incoming);
    }
    await discard(response);
    const found = `status ${response.status} and type ${quoted(type)}`;
    throw new MediaTypeError(`answered a request with ${found}, which is neither JSON nor an event stream`);
  }

  /**
   * Resumes the stream of a response until the response has arrived. A refusal of that is none of the request, which
   * the target may have processed: the request must not be repeated because of it.
   */
  async #resume(exchange: Exchange, incoming: Incoming, resumption: Resumption): Promise<void> {
    const { signal } = exchange.abort;
    for (let failures = 0; !exchange.answered && failures < maxResumptions; ) {
      const delay = reconnectDelay(failures + 1, resumption.retry, this.#parts.random);
      await pauseForTarget(this.#parts, delay, signal);
      try {
        const response = await this.#openStream(signal, resumption.lastEventId);
        if (!response.ok) throw await statusError(response, this.#sessionId !== undefined);
        await this.#readResponse(response, incoming, resumption);
        failures = 0;
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof HttpStatusError && error.status < 500) {
          throw new Error(`the answer was cut off, and cannot be resumed: ${error.message}`, { cause: error });
        }
        failures += 1;
      }
    }
  }

  async #post(message: Message, signal: AbortSignal, passed?: TransportOptions['headers']): Promise<TargetResponse> {
    const isHandshake = 'method' in message && message.method === 'initialize';
    if (isHandshake) this.#sessionId = undefined;
    const headers = {
      ...(passed ?? this.#parts.headers),
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...this.#parts.headersOf?.(message),
    };
    const response = await this.#fetch('POST', headers, signal, encodeMessage(message));
    if (!response.ok && !this.#isErrorObject(response))
      throw await statusError(response, this.#sessionId !== undefined);
    if (isHandshake) this.#sessionId = response.headers.get('mcp-session-id') ?? undefined;
    return response;
  }

  #isErrorObject(response: TargetResponse): boolean {
    return this.#isStateless && response.status >= 400 && mediaTypeOf(response) === 'application/json';
  }

  #openStream(signal: AbortSignal, lastEventId: string | undefined): Promise<TargetResponse> {
    const resume: Record<string, string> = {};
    // In UTF-8 (HTML, 9.2.3), which a header has byte by byte.
    if (lastEventId !== undefined) resume['last-event-id'] = Buffer.from(lastEventId).toString('latin1');
    return this.#fetch('GET', { ...this.#parts.headers, accept: 'text/event-stream', ...resume }, signal);
  }

  #fetch(
    method: TargetRequest['method'],
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    body: string | null = null,
  ): Promise<TargetResponse> {
    const session = this.#sessionId === undefined ? {} : { 'mcp-session-id': this.#sessionId };
    const version = this.#protocolVersion === undefined ? {} : { 'mcp-protocol-version': this.#protocolVersion };
    const request = { method, headers: { ...headers, ...session, ...version }, signal, body };
    return fetchWithinOrigin(this.#parts.fetch, this.#parts.url, request);
  }

  #noteAnswer(message: Message): void {
    const id = answeredId(message);
    const exchange = id === undefined ? undefined : this.#exchanges.get(id);
    if (exchange === undefined || exchange.answered) return;
    exchange.answered = true;
    exchange.stopLinger = this.#parts.clock.after(lingerTime, () => exchange.abort.abort());
  }
}

/**
 * An error that names no request, in the response to a request, is the answer to that request.
 *
 * @param other called with the id of an answer to another request; what it throws ends the stream
 */
function aboutRequest(id: RequestId, events: TransportEvents, other: (answered: RequestId) => void): TransportEvents {
  return {
    ...events,
    received(message, size) {
      events.received('error' in message && message.id === undefined ? { ...message, id } : message, size, id);
      const answered = answeredId(message);
      if (answered !== undefined && answered !== id) other(answered);
    },
  };
}
