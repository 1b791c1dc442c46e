import type { KindName } from '../../../resources/model.ts';
import type { KubeFailure } from '../../../kube/api-error.ts';
import type { StreamReader } from '../api/reader.ts';
import { readWatchEvent, type WatchEvent } from './watch-event.ts';
import { LineSplitter } from './line-splitter.ts';

/** Who is told of events, in their order. None may throw. */
export interface WatchListener {
  /** The server has begun to answer. */
  opened(): void;
  event(event: Exclude<WatchEvent, { readonly type: 'failed' }>): void;
  /** All events that came together were told. */
  told(): void;
}

/** Reads the stream of one watch up to the first line that cannot be trusted. */
export class WatchStream implements StreamReader {
  readonly #kind: KindName;
  readonly #listener: WatchListener;
  readonly #lines = new LineSplitter();
  #failure: KubeFailure | undefined;

  constructor(kind: KindName, listener: WatchListener) {
    this.#kind = kind;
    this.#listener = listener;
  }

  opened(): void {
    this.#listener.opened();
  }

  read(chunk: Uint8Array): 'go on' | 'leave' {
    for (const line of this.#lines.push(chunk)) {
      const event = readWatchEvent(this.#kind, line);
      if (event.type === 'failed') {
        this.#failure = event.failure;
        break;
      }
      this.#listener.event(event);
    }
    if (this.#lines.overlong) {
      this.#failure ??= { reason: 'unintelligible', message: `a line has more than ${this.#lines.pending} bytes` };
    }
    this.#listener.told();
    return this.#failure === undefined ? 'go on' : 'leave';
  }

  /** What was wrong with what was read; asked for at the end of the stream. */
  failure(): KubeFailure | undefined {
    if (this.#failure !== undefined || this.#lines.pending === 0) return this.#failure;
    return { reason: 'broken', message: `the answer ended within a line, after ${this.#lines.pending} bytes of it` };
  }
}
