import type { Clock, Random, Stop } from '../../../edges.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type Collection, collectionPath, isIn, withQuery } from '../api/path.ts';
import type { ApiReader, StreamHandler } from '../api/reader.ts';
import { LineSplitter } from './line-splitter.ts';
import { readWatchEvent, type WatchEvent } from './watch-event.ts';

/** One watch, and what it reports. All callbacks are synchronous. */
export interface WatchSessionParts {
  readonly collection: Collection;
  readonly reader: ApiReader;
  readonly clock: Clock;
  readonly random: Random;
  /** The response has begun; the signal is aborted when the session ends. */
  readonly opened: (session: AbortSignal) => void;
  /** Takes one event. Must not throw. */
  readonly event: (event: WatchEvent) => void;
  /** The watch works, although it may have no events. */
  readonly healthy: () => void;
  /** All events of a chunk were passed on. */
  readonly changed: () => void;
}

/** The end of a watch. */
export type SessionEnd =
  | { readonly end: 'stopped' }
  | {
      readonly end: 'over';
      /** Undefined: the server ended it in good order. */
      readonly error: ApiError | undefined;
      /** The version up to which every event was received. */
      readonly resourceVersion: string;
      /** Milliseconds since the response began; 0 if there was none. */
      readonly duration: number;
      /** True if the server ended it in good order, and well before the time that was requested. */
      readonly endedEarly: boolean;
    };

/** A watch that was open for this time, in milliseconds, works, with or without events. */
const healthyAfter = 5_000;

/** Tolerance for the requested end, in seconds. */
const tolerance = 10;

/** One watch from its request to its end. Reads the stream up to the first line that is no event. */
export class WatchSession implements StreamHandler {
  readonly #parts: WatchSessionParts;
  readonly #lines = new LineSplitter();
  readonly #session = new AbortController();
  /** The requested duration, 5 to 10 minutes as client-go's; random, so that watches do not end all at once. */
  readonly #seconds: number;
  #resourceVersion: string;
  #error: ApiError | undefined;
  #openedAt: number | undefined;
  #stopHealthTimer: Stop = () => undefined;

  /** @param from the resource version to watch from */
  constructor(parts: WatchSessionParts, from: string) {
    this.#parts = parts;
    this.#resourceVersion = from;
    this.#seconds = 300 + Math.floor(parts.random() * 301);
  }

  async run(stop: AbortSignal): Promise<SessionEnd> {
    const { reader, clock } = this.#parts;
    const end = await reader.stream(this.#path(), stop, this, { timeLimit: 'none' });
    this.#session.abort();
    this.#stopHealthTimer();
    if (stop.aborted) return { end: 'stopped' };
    const error = end.end === 'failed' ? end.error : this.#streamError();
    const duration = this.#openedAt === undefined ? 0 : clock.monotonic() - this.#openedAt;
    const endedEarly = error === undefined && duration < (this.#seconds - tolerance) * 1000;
    return { end: 'over', error, resourceVersion: this.#resourceVersion, duration, endedEarly };
  }

  opened(): void {
    const { clock, healthy, opened } = this.#parts;
    this.#openedAt = clock.monotonic();
    this.#stopHealthTimer = clock.after(healthyAfter, healthy);
    opened(this.#session.signal);
  }

  data(chunk: Uint8Array): 'continue' | 'leave' {
    for (const line of this.#lines.push(chunk)) {
      const event = readWatchEvent(this.#parts.collection.kind, line);
      if (event.type === 'failed') {
        this.#error = event.error;
        break;
      }
      if (event.type !== 'bookmark' && !isIn(this.#parts.collection, event.object.key)) {
        this.#error = { reason: 'unintelligible', message: 'an event is about an object of another namespace' };
        break;
      }
      this.#parts.event(event);
      // After the handler, so that an event that it throws at is requested again.
      this.#resourceVersion = event.type === 'bookmark' ? event.resourceVersion : event.object.resourceVersion;
    }
    if (this.#lines.overlong) {
      this.#error ??= { reason: 'unintelligible', message: `a line has more than ${this.#lines.pending} bytes` };
    }
    this.#parts.changed();
    return this.#error === undefined ? 'continue' : 'leave';
  }

  /** The error within the stream, once it has ended. */
  #streamError(): ApiError | undefined {
    if (this.#error !== undefined || this.#lines.pending === 0) return this.#error;
    return { reason: 'broken', message: `the answer ended within a line, after ${this.#lines.pending} bytes of it` };
  }

  #path(): string {
    return withQuery(collectionPath(this.#parts.collection), {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(this.#seconds),
      resourceVersion: this.#resourceVersion,
    });
  }
}
