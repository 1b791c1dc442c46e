import { parseJson } from '../../../json/json.ts';
import { firstMember } from '../../../json/json-text.ts';
import { quoted } from '../../../json/quoted.ts';
import { Deadline, untilAborted } from '../../../net/deadline.ts';
import type { TargetBody } from '../../model.ts';
import type { Arriving, Message, RequestId } from '../../rpc/model.ts';
import { encodeMessage } from '../../rpc/source-text.ts';
import { AnswerLimitError, uncountedBytes } from '../answer-limits.ts';
import type { Transport, TransportOptions, TransportParts } from '../model.ts';
import { readEvents } from './event-reader.ts';
import {
  discard,
  fetchWithinOrigin,
  HttpStatusError,
  lingerTime,
  mediaTypeOf,
  sendUnanswered,
  statusError,
} from './http-exchange.ts';
import { deliver } from './incoming-stream.ts';
import { answeredId, cancelledId, maxBytesOf, requestIdOf } from './message.ts';
import type { TakenMessage } from './message-buffer.ts';

/** A list that was asked for: its answer is counted before it is parsed. */
interface AwaitedList {
  readonly maxBytes: number;
  readonly arriving: Arriving;
  readonly answered: () => void;
}

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
  /** By the id of the request. */
  readonly #lists = new Map<RequestId, AwaitedList>();
  #protocolVersion: string | undefined;

  constructor(parts: TransportParts) {
    this.#parts = {
      ...parts,
      events: {
        ...parts.events,
        received: (message, size) => {
          parts.events.received(message, size);
          const answered = answeredId(message) ?? '';
          this.#posts.get(answered)?.set(lingerTime);
          this.#lists.get(answered)?.answered();
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
    if (id === undefined) return sendUnanswered(this.#parts, signal, (until) => this.#post(message, options, until));
    const deadline = new Deadline(clock, signal);
    this.#posts.set(id, deadline);
    const answered = this.#awaitList(id, message, options);
    try {
      const accepted = this.#post(message, options, deadline.signal);
      await untilAborted(deadline.signal, Promise.all([accepted, answered]));
    } finally {
      deadline.release();
      this.#posts.delete(id);
      this.#lists.delete(id);
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
          else if (type !== 'message') events.ignored(1);
          else if (this.#hasRoom(data)) deliver(data, this.#parts);
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

  /** Resolves when the answer to a list has arrived; at once for a request whose answer nobody counts. */
  #awaitList(id: RequestId, message: Message, { arriving }: TransportOptions = {}): Promise<void> {
    if (arriving === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lists.set(id, { maxBytes: maxBytesOf(message), arriving, answered: resolve });
    return promise;
  }

  /**
   * Counts a large message for the list that it answers; a batch, for each that is awaited. The stream is that of all
   * answers, so that whose a message is shows when it is complete: before it is parsed. What is refused ends the
   * request.
   */
  #hasRoom({ text, size }: TakenMessage): boolean {
    if (size.bytes <= uncountedBytes || this.#lists.size === 0) return true;
    let hasRoom = true;
    for (const [id, { maxBytes, arriving }] of this.#listsIn(text)) {
      try {
        if (size.bytes > maxBytes) throw new AnswerLimitError(`a message is larger than ${maxBytes} bytes`);
        arriving(size);
      } catch (error) {
        this.#posts.get(id)?.abort(error instanceof Error ? error : new Error(String(error)));
        hasRoom = false;
      }
    }
    return hasRoom;
  }

  #listsIn(text: string): readonly (readonly [RequestId, AwaitedList])[] {
    const lists = [...this.#lists];
    if (text.trimStart().startsWith('[')) return lists;
    const answered: unknown = parseJson(firstMember(text, 'id') ?? '')?.value;
    return lists.filter(([id]) => id === answered);
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
