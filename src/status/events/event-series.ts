import type { ObjectEvent } from './event.ts';

/** Repetitions of an event within an hour: one Event object, whose series counts them. */
export interface EventSeries {
  readonly event: ObjectEvent;
  /** UID of the object: an object that was deleted and created again starts another series. */
  readonly uid: string;
  /** Time of the first and of the last occurrence, in milliseconds since the epoch. */
  readonly first: number;
  last: number;
  /** Number of occurrences. */
  count: number;
  /** The Event object; undefined until it is created. */
  created: CreatedEvent | undefined;
}

/** An Event that was written, and the state of its series. */
export interface CreatedEvent {
  readonly eventName: string;
  readonly namespace: string;
  /** The count that was written last. */
  readonly count: number;
  /** Time of the last write, in milliseconds since the epoch. */
  readonly at: number;
}

/** Duration of a series in milliseconds: as long as API servers keep Events by default. */
const lifetime = 3_600_000;

/** Maximum number of series in memory. Beyond it the oldest one is dropped, so that its event is created again. */
const maxSeries = 1_000;

/** The current series, by key. */
export class EventSeriesStore {
  readonly #series = new Map<string, EventSeries>();

  /** Returns the series that an occurrence continues. A series that is older than an hour is deleted. */
  current(key: string, now: number): EventSeries | undefined {
    const series = this.#series.get(key);
    if (series === undefined || Math.abs(now - series.first) < lifetime) return series;
    this.#series.delete(key);
    return undefined;
  }

  get(key: string): EventSeries | undefined {
    return this.#series.get(key);
  }

  entries(): Iterable<[string, EventSeries]> {
    return this.#series.entries();
  }

  start(key: string, event: ObjectEvent, uid: string, now: number): void {
    this.#series.set(key, { event, uid, first: now, last: now, count: 1, created: undefined });
    const [oldest] = this.#series.keys();
    if (this.#series.size > maxSeries && oldest !== undefined) this.#series.delete(oldest);
  }

  delete(key: string): void {
    this.#series.delete(key);
  }

  clear(): void {
    this.#series.clear();
  }
}

/** The key of an event's series. */
export function seriesKey({ type, reason, note, aggregateBy = note }: ObjectEvent, uid: string): string {
  return JSON.stringify([uid, type, reason, aggregateBy]);
}
