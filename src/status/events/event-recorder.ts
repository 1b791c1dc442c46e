import type { Clock, Counters, Logger, Random } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { WorkQueue } from '../../rate/work-queue.ts';
import type { KindName } from '../../resources/model.ts';
import { eventName, eventNote, type ObjectEvent } from './event.ts';
import type { EventClient, EventResult } from './event-client.ts';
import { type CreatedEvent, type EventSeries, EventSeriesStore, seriesKey } from './event-series.ts';

/** Returns the UID of an object; undefined when it does not exist. */
export type Identify = (kind: KindName, key: string) => { readonly uid: string } | undefined;

/** Dependencies of the recorder. */
export interface EventRecorderParts {
  readonly client: EventClient;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

const minute = 60_000;

/** Writes per second over all objects. */
const writeRate = { rate: 1, burst: 25 };

/** Events per second and object: 5 a minute. */
const objectRate = { rate: 5_000 / minute, burst: 5 };

/** Maximum number of series that wait to be written; further events are dropped. */
const maxQueued = 500;

const topic = 'writing Events';

/**
 * Records Events, rate-limited and best effort, like client-go's EventRecorder: repetitions within an hour are one
 * Event with a count, which is written at most once a minute. Events beyond the limits, and those whose creation fails,
 * are dropped and counted in a metric. Recording never waits.
 */
export class EventRecorder {
  readonly #parts: EventRecorderParts;
  readonly #objectLimits: KeyedRateLimiter;
  readonly #failures: LogThrottle;
  readonly #series = new EventSeriesStore();
  /** Keys of the series whose Event is to be created or counted. */
  readonly #queue: WorkQueue<string>;
  readonly #stopping = new AbortController();

  constructor(parts: EventRecorderParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#objectLimits = new KeyedRateLimiter(clock, objectRate);
    this.#failures = new LogThrottle(clock, log);
    this.#queue = new WorkQueue({
      clock,
      limiter: new RateLimiter(clock, writeRate),
      concurrency: 1,
      keyOf: (key) => key,
      begin: (key) => this.#begin(key),
    });
  }

  /** Records an occurrence: creates an Event, or counts it in its series. */
  record(event: ObjectEvent): void {
    this.#record(event, true);
  }

  /** Records a condition that lasts: creates an Event if there is no series of it, and counts nothing. */
  recordOnce(event: ObjectEvent): void {
    this.#record(event, false);
  }

  /** Drops the leader's events that wait to be created: the next leader records them, too. */
  dropLeaderEvents(): void {
    for (const [key, { event, created }] of this.#series.entries()) {
      if (created !== undefined || event.reportedBy !== 'leader') continue;
      if (this.#queue.delete(key)) this.#series.delete(key);
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#queue.clear();
    this.#series.clear();
  }

  #record(event: ObjectEvent, counts: boolean): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, identify } = this.#parts;
    const now = clock.now();
    const identity = identify(event.kind, event.key);
    if (identity === undefined) {
      this.#count(event, 'unidentified');
      return;
    }
    const key = seriesKey(event, identity.uid);
    const series = this.#series.current(key, now);
    if (series === undefined) {
      if (this.#queue.ready >= maxQueued || this.#isOverLimit(event)) {
        this.#count(event, 'dropped');
        return;
      }
      this.#series.start(key, event, identity.uid, now);
      this.#queue.add(key);
    } else if (counts) {
      series.count += 1;
      series.last = now;
      if (series.created !== undefined && !this.#queue.has(key)) this.#countLater(key, series.created);
    }
  }

  #countLater(key: string, { at }: CreatedEvent): void {
    this.#queue.addAfter(key, Math.min(minute, Math.max(0, at + minute - this.#parts.clock.now())));
  }

  /** Starts the request that is due for a series, if there is one. */
  #begin(key: string): Promise<void> | undefined {
    const series = this.#series.get(key);
    if (series === undefined) return undefined;
    const { created, event, count } = series;
    if (created === undefined) return this.#create(key, series);
    if (created.count === count) return undefined;
    if (this.#isOverLimit(event)) {
      this.#queue.addAfter(key, minute);
      return undefined;
    }
    return this.#update(key, series, created);
  }

  async #create(key: string, series: EventSeries): Promise<void> {
    const { client, clock, random } = this.#parts;
    const { event, uid, first } = series;
    const [namespace = '', name = ''] = event.key.split('/');
    const { kind, type, reason, action } = event;
    const now = clock.now();
    const suffix = `${now.toString(16)}${Math.floor(random() * 2 ** 48).toString(16)}`;
    const names = { eventName: eventName(name, suffix), namespace };
    const regarding = { kind, name, uid };
    const result = await client.create(
      { ...names, ...regarding, type, reason, action, note: eventNote(event.note), at: first },
      this.#stopping.signal,
    );
    this.#finish(event, result, 'created');
    if (result.kind === 'written') series.created = { ...names, count: 1, at: now };
    else this.#series.delete(key);
    this.#continue(key, series);
  }

  /** Writes the count of a series. */
  async #update(key: string, series: EventSeries, created: CreatedEvent): Promise<void> {
    const { client, clock } = this.#parts;
    const { count, last, event } = series;
    const now = clock.now();
    const { namespace } = created;
    const result = await client.count(
      { eventName: created.eventName, namespace, count, lastObserved: last },
      this.#stopping.signal,
    );
    this.#finish(event, result, 'counted');
    if (result.kind === 'gone') this.#series.delete(key);
    else series.created = { ...created, count: result.kind === 'written' ? count : created.count, at: now };
    this.#continue(key, series);
  }

  /** Schedules the next count of a series if it has one. */
  #continue(key: string, series: EventSeries): void {
    const { created, count } = series;
    if (this.#series.get(key) !== series || created === undefined || created.count === count) return;
    this.#countLater(key, created);
  }

  #isOverLimit({ kind, key }: ObjectEvent): boolean {
    return this.#objectLimits.tryTake(`${kind} ${key}`) > 0;
  }

  #finish(event: ObjectEvent, result: EventResult, outcome: string): void {
    this.#count(event, result.kind === 'written' ? outcome : 'failed');
    if (result.kind === 'written') this.#failures.recovered(topic, `${topic}: works again`);
    else if (!this.#stopping.signal.aborted) {
      this.#failures.failed(topic, { reason: result.message, message: `${topic}: failed, and is tried again` });
    }
  }

  #count({ reason }: ObjectEvent, outcome: string): void {
    this.#parts.counters.count('gatehouse_status_events_total', { reason, outcome });
  }
}
