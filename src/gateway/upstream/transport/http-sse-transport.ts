import { quoted } from '../../../json/quoted.ts';
import { Deadline, within } from '../../../net/deadline.ts';
import type { TargetBody } from '../../model.ts';
import type { Message, RequestId } from '../../rpc/model.ts';
import { encodeMessage } from '../../rpc/source-text.ts';
import type { Transport, TransportOptions, TransportParts } from '../model.ts';
import { readEvents } from './event-reader.ts';
import {
  acceptTime,
  discard,
  fetchWithinOrigin,
  HttpStatusError,
  lingerTime,
  mediaTypeOf,
  statusError,
} from './http-exchange.ts';
import { deliver } from './incoming-stream.ts';
import { answeredId, cancelledId, requestIdOf } from './message.ts';

/**
 * The HTTP+SSE transport (MCP 2024-11-05): a GET opens the event stream that carries all messages of the target, whose
 * first event is the URL for POST. The session ends with the stream.
 */
export class HttpSseTransport implements Transport {
  readonly #parts: TransportParts;
  readonly #closed = new AbortController();
  readonly #endpoint = Promise.withResolvers<URL>();
  /** Requests whose POST the target has not ended: the response comes on the stream, whether it ends that or not. */
  readonly #posts = new Map<RequestId, Deadline>();
  #protocolVersion: string | undefined;

  constructor(parts: TransportParts) {
    this.#parts = {
      ...parts,
      events: {
        ...parts.events,
        received: (message, size) => {
          parts.events.received(message, size);
          this.#posts.get(answeredId(message) ?? '')?.set(lingerTime);
        },
      },
    };
    // Only `start` and `send` wait for it; the stream may end before either does.
    this.#endpoint.promise.catch(() => {});
  }

  async start(): Promise<void> {
    void this.#follow(await this.#open());
    await this.#endpoint.promise;
  }

  async send(message: Message, options?: TransportOptions): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#closed;
    this.#posts.get(cancelledId(message) ?? '')?.abort();
    const id = requestIdOf(message);
    if (id === undefined) {
      const limit = { clock, milliseconds: acceptTime, signal };
      return within(limit, (until) => this.#post(message, options, until));
    }
    const deadline = new Deadline(clock, signal);
    this.#posts.set(id, deadline);
    try {
      await this.#post(message, options, deadline.signal);
    } finally {
      deadline.release();
      this.#posts.delete(id);
    }
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  terminate(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closed.abort();
  }

  async #open(): Promise<TargetBody> {
    const { url, fetch, headers } = this.#parts;
    const response = await fetchWithinOrigin(fetch, url, {
      method: 'GET',
      headers: this.#headers({ ...headers, accept: 'text/event-stream' }),
      body: null,
      signal: this.#closed.signal,
    });
    if (!response.ok) throw await statusError(response, false);
    const type = mediaTypeOf(response);
    if (response.body !== null && type === 'text/event-stream') return response.body;
    await discard(response);
    const found = `answered with the type ${quoted(type)} and no event stream`;
    throw new HttpStatusError(found, response.status, false);
  }

  async #follow(body: TargetBody): Promise<void> {
    const { events } = this.#parts;
    let reason = new Error('the target closed the connection');
    try {
      await readEvents(body, this.#parts, {
        event: ({ type, data }) => {
          if (type === 'endpoint') this.#setEndpoint(data.text);
          else if (type === 'message') deliver(data, this.#parts);
          else events.ignored(1);
        },
        ignored: events.ignored,
        pace: events.pace,
      });
    } catch (error) {
      reason = error instanceof Error ? error : new Error(String(error));
    }
    this.#endpoint.reject(reason);
    if (!this.#closed.signal.aborted) events.lost(reason);
  }

  #setEndpoint(text: string): void {
    const { url } = this.#parts;
    const found = URL.parse(text, url.href);
    if (found !== null && found.origin === url.origin) this.#endpoint.resolve(found);
    else throw new Error('the event "endpoint" has no URL of the target’s own origin');
  }

  async #post(message: Message, options: TransportOptions | undefined, signal: AbortSignal): Promise<void> {
    const { fetch, headers } = this.#parts;
    const response = await fetchWithinOrigin(fetch, await this.#endpoint.promise, {
      method: 'POST',
      headers: this.#headers({ ...(options?.headers ?? headers), 'content-type': 'application/json' }),
      body: encodeMessage(message),
      signal,
    });
    if (!response.ok) throw await statusError(response, true);
    await discard(response);
  }

  #headers(more: Readonly<Record<string, string>>): Record<string, string> {
    return this.#protocolVersion === undefined ? more : { ...more, 'mcp-protocol-version': this.#protocolVersion };
  }
}
