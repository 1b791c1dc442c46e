import type { ServerResponse } from 'node:http';
import type { Clock, Stop } from '../edges.ts';
import { type EventStream, EventStreams } from '../net/event-streams.ts';
import { eventText } from '../net/sse.ts';
import { every } from '../net/timers.ts';
import type { Route } from './routes.ts';

/** Dependencies of the stream. */
export interface StatusStreamParts {
  /** Computes the status. */
  readonly status: () => Promise<object>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

/** Streams that are open at once: people who look. */
const maxStreams = 32;

/** Bytes that all of them together leave unread: an event has less than 2 KiB. */
const limits = { maxUnread: 1 << 20, share: 1 };

/** Milliseconds between two looks at the status, and the part of the time that they may take. */
const interval = 1_000;
const restFactor = 20;

/**
 * Milliseconds between two events that say nothing. A page sees no comments, and a connection that a network has dropped
 * without a word reports no error: events are all by which a page knows that what it shows is still true.
 */
const aliveInterval = 10_000;
const alive = eventText('alive', '{}');

/**
 * Streams the status to everybody who looks, as server-sent events: at once, and whenever it has changed. While nobody
 * looks, nothing is computed; otherwise once for all, every second, and more seldom when that takes long.
 */
export class StatusStream {
  readonly #parts: StatusStreamParts;
  readonly #events: EventStreams;
  readonly #streams = new Set<EventStream>();
  #last: { readonly event: string; readonly comparable: string } | undefined;
  #stopTimer: Stop | undefined;
  #stopAlive: Stop | undefined;
  #looking = false;
  #stopped = false;

  constructor(parts: StatusStreamParts) {
    this.#parts = parts;
    this.#events = new EventStreams({ limits, clock: parts.clock, cut: () => undefined });
  }

  /** The route of the stream. */
  get route(): Route {
    return { stream: (_, response) => this.#open(response) };
  }

  /** Ends all streams. */
  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#stopAlive?.();
    for (const stream of this.#streams) stream.end();
  }

  #open(response: ServerResponse): void {
    if (this.#stopped || this.#streams.size >= maxStreams) {
      const body = JSON.stringify({ error: `more than ${maxStreams} pages are open: close some.` });
      response.writeHead(503, { 'content-type': 'application/json; charset=utf-8', 'retry-after': '10' }).end(body);
      return;
    }
    const stream = this.#events.open({
      response,
      caller: 'page',
      headers: { 'x-content-type-options': 'nosniff' },
      closed: () => this.#closed(stream),
    });
    this.#streams.add(stream);
    this.#stopAlive ??= every(this.#parts.clock, aliveInterval, () => this.#send(alive));
    if (this.#last !== undefined) stream.write(this.#last.event);
    this.#look().catch(this.#parts.failed);
  }

  #closed(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    // What is known grows old while nobody looks.
    this.#last = undefined;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#stopAlive?.();
    this.#stopAlive = undefined;
  }

  #send(event: string): void {
    for (const stream of this.#streams) stream.write(event);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#stopTimer?.();
    const { clock, status } = this.#parts;
    const began = clock.monotonic();
    try {
      const current = await status();
      const comparable = comparableText(current);
      if (comparable !== this.#last?.comparable) {
        this.#last = { event: eventText('status', JSON.stringify(current)), comparable };
        this.#send(this.#last.event);
      }
    } finally {
      this.#looking = false;
      if (this.#streams.size > 0 && !this.#stopped) this.#wait(clock.monotonic() - began);
    }
  }

  #wait(took: number): void {
    const delay = Math.max(interval, took * restFactor);
    this.#stopTimer = this.#parts.clock.after(delay, () => {
      this.#look().catch(this.#parts.failed);
    });
  }
}

/** The status without what changes by itself. */
function comparableText(status: object): string {
  return JSON.stringify(status, (name, value: unknown) => (moving.has(name) ? undefined : value));
}

const moving: ReadonlySet<string> = new Set(['time', 'uptimeSeconds']);
