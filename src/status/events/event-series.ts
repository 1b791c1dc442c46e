import type { Stop } from '../../edges.ts';
import type { Occurrence } from './occurrence.ts';

/** The same occurrence, as often as it happens within an hour. */
export interface EventSeries {
  readonly occurrence: Occurrence;
  /** Of the object: one that was created anew under the same name is another one. */
  readonly uid: string;
  /** Milliseconds since the epoch. */
  readonly begun: number;
  last: number;
  count: number;
  /** The Event that tells of it; undefined: none yet. */
  event: ToldEvent | undefined;
  /** Ends the waiting for the time at which it may be counted again. */
  stopTimer: Stop | undefined;
}

export interface ToldEvent {
  readonly eventName: string;
  readonly namespace: string;
  /** How many occurrences it tells of. */
  readonly count: number;
  /** When it was last written, in milliseconds since the epoch. */
  readonly at: number;
}

/** For so long the same is counted instead of told anew, in milliseconds: as long as API servers keep Events. */
const lifetime = 3_600_000;

/** How many series are remembered; what began longest ago is forgotten first, and told anew when it happens again. */
const mostSeries = 1_000;

/** The series that last. */
export class SeriesBook {
  readonly #series = new Map<string, EventSeries>();

  /** The series that an occurrence continues. One that has had its time is forgotten. */
  find(key: string, now: number): EventSeries | undefined {
    const series = this.#series.get(key);
    if (series === undefined || Math.abs(now - series.begun) < lifetime) return series;
    this.forget(key);
    return undefined;
  }

  get(key: string): EventSeries | undefined {
    return this.#series.get(key);
  }

  begin(key: string, occurrence: Occurrence, uid: string, now: number): void {
    const untold = { count: 1, event: undefined, stopTimer: undefined };
    this.#series.set(key, { occurrence, uid, begun: now, last: now, ...untold });
    const [oldest] = this.#series.keys();
    if (this.#series.size > mostSeries && oldest !== undefined) this.forget(oldest);
  }

  forget(key: string): void {
    this.#series.get(key)?.stopTimer?.();
    this.#series.delete(key);
  }

  clear(): void {
    for (const key of [...this.#series.keys()]) this.forget(key);
  }
}

/** The same for what is the same once more. */
export function seriesKey({ type, reason, note, sameAs = note }: Occurrence, uid: string): string {
  return JSON.stringify([uid, type, reason, sameAs]);
}
