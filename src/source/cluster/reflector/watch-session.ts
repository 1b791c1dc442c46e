import type { Clock, Random, Stop } from '../../../edges.ts';
import type { KubeFailure } from '../../../kube/api-error.ts';
import { type Collection, collectionPath, withQuery } from '../api/path.ts';
import type { KubeReader } from '../api/reader.ts';
import type { Replacement } from './object-store.ts';
import type { WatchEvent } from './watch-event.ts';
import { type WatchListener, WatchStream } from './watch-stream.ts';

type ReadableEvent = Exclude<WatchEvent, { readonly type: 'failed' }>;

/** Where a watch begins: after a version, or with all objects that there are (a streaming list, KEP-3157). */
export type WatchStart =
  | { readonly with: 'changes'; readonly from: string }
  | { readonly with: 'objects'; readonly replacement: Replacement };

export interface WatchSessionParts {
  readonly collection: Collection;
  readonly reader: KubeReader;
  readonly clock: Clock;
  readonly random: Random;
  /** The server answers; the signal tells when it does no more. */
  readonly opened: (session: AbortSignal) => void;
  /** The objects that there were at the start are complete. */
  readonly listed: (replacement: Replacement) => void;
  readonly event: (event: ReadableEvent) => void;
  /** The watch works, though nothing happens. */
  readonly quiet: () => void;
  /** All events that came together were told. */
  readonly told: () => void;
}

/** How a watch ended. */
export type SessionEnd =
  | { readonly end: 'stopped' }
  /** Not all objects that there were at the start came. */
  | { readonly end: 'unlisted'; readonly failure: KubeFailure }
  | {
      readonly end: 'over';
      /** Undefined: as a watch has to end. */
      readonly failure: KubeFailure | undefined;
      /** The version up to which everything was told. */
      readonly reached: string;
      /** Milliseconds since the server began to answer; 0 when it never did. */
      readonly lasted: number;
      /** Whether the server ended it in good order, and well before the time that it was asked for. */
      readonly cutShort: boolean;
    };

/** A watch that was open for so long works, even if nothing happens. In milliseconds. */
const WORKS = 5_000;

/** A server that lists goes on listing; one that does not know how sends some objects and falls silent. In milliseconds. */
const LISTING_SILENCE = 5_000;

/** So much sooner than asked for is still in time. In seconds. */
const SLACK = 10;

/** One watch from its request to its end. */
export class WatchSession implements WatchListener {
  readonly #parts: WatchSessionParts;
  readonly #start: WatchStart;
  readonly #session = new AbortController();
  readonly #gaveUp = new AbortController();
  /** How long it is to last. Clients that choose one end for all of their watches would all come back at once. */
  readonly #seconds: number;
  #replacement: Replacement | undefined;
  #reached = '';
  #opened: number | undefined;
  #works: Stop = () => undefined;
  #silence: Stop = () => undefined;

  constructor(parts: WatchSessionParts, start: WatchStart) {
    this.#parts = parts;
    this.#start = start;
    this.#seconds = 300 + Math.floor(parts.random() * 301);
    if (start.with === 'objects') this.#replacement = start.replacement;
    else this.#reached = start.from;
  }

  async run(stop: AbortSignal): Promise<SessionEnd> {
    const { collection, reader, clock } = this.#parts;
    const giveUp = (): void => this.#gaveUp.abort();
    stop.addEventListener('abort', giveUp);
    const stream = new WatchStream(collection.kind, this);
    const end = stop.aborted
      ? ({ end: 'stopped' } as const)
      : await reader.stream(this.#path(), this.#gaveUp.signal, stream);
    stop.removeEventListener('abort', giveUp);
    this.#session.abort();
    this.#works();
    this.#silence();
    if (stop.aborted) return { end: 'stopped' };
    const failure = end.end === 'failed' ? end.failure : stream.failure();
    if (this.#replacement !== undefined) return { end: 'unlisted', failure: failure ?? noStreamingList };
    const lasted = this.#opened === undefined ? 0 : clock.now() - this.#opened;
    const cutShort = failure === undefined && lasted < (this.#seconds - SLACK) * 1000;
    return { end: 'over', failure, reached: this.#reached, lasted, cutShort };
  }

  opened(): void {
    this.#opened = this.#parts.clock.now();
    this.#works = this.#parts.clock.after(WORKS, this.#parts.quiet);
    this.#parts.opened(this.#session.signal);
    this.#listenOn();
  }

  event(event: ReadableEvent): void {
    const replacement = this.#replacement;
    if (replacement === undefined) this.#parts.event(event);
    else if (event.type === 'present') replacement.take(event.object);
    else if (event.type === 'deleted') replacement.remove(event.object.key);
    else if (event.listed) {
      this.#replacement = undefined;
      this.#parts.listed(replacement);
    }
    // Last, so that an event that could not be taken is asked for again.
    this.#reached = event.type === 'bookmark' ? event.resourceVersion : event.object.resourceVersion;
  }

  told(): void {
    this.#listenOn();
    this.#parts.told();
  }

  #listenOn(): void {
    this.#silence();
    if (this.#replacement === undefined) return;
    this.#silence = this.#parts.clock.after(LISTING_SILENCE, () => this.#gaveUp.abort());
  }

  #path(): string {
    const { collection } = this.#parts;
    const common = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(this.#seconds) };
    const start: Readonly<Record<string, string>> =
      this.#start.with === 'objects'
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#start.from };
    return withQuery(collectionPath(collection), { ...common, ...start });
  }
}

const noStreamingList: KubeFailure = {
  reason: 'unintelligible',
  message: 'the server did not say that its list is complete',
};
