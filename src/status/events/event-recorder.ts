import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { KindName } from '../../resources/model.ts';
import { eventNameOf, noteOf } from './event.ts';
import type { EventAnswer, EventClient } from './event-client.ts';
import { type EventSeries, SeriesBook, seriesKey, type ToldEvent } from './event-series.ts';
import type { Occurrence } from './occurrence.ts';

/** The API server's name for one object; undefined when there is no such object. */
export type Identify = (kind: KindName, key: string) => { readonly uid: string } | undefined;

export interface EventRecorderParts {
  readonly client: EventClient;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Over all objects: so many Events a second, so many at once, so many that wait for their turn. */
const perSecond = 1;
const burst = 25;
const mostQueued = 500;

/** For each object: so many in a minute. */
const mostPerObject = 5;
const minute = 60_000;

const topic = 'writing Events';

/**
 * Writes Events, as far as they are good for somebody: the same text on the same object is written once an hour and
 * counted besides, at most once a minute. What is too much, or fails, is counted in a metric and forgotten; nothing ever
 * waits for an Event.
 */
export class EventRecorder {
  readonly #parts: EventRecorderParts;
  readonly #bucket: RateLimiter;
  readonly #allowances: KeyedRateLimiter;
  readonly #failures: LogThrottle;
  readonly #series = new SeriesBook();
  /** The keys of series of which something is to be written. */
  readonly #queue = new Set<string>();
  readonly #ending = new AbortController();
  #sending = false;
  #stopTimer: Stop = () => {};

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
    this.#bucket = new RateLimiter(parts.clock, { rate: perSecond, burst });
    this.#allowances = new KeyedRateLimiter(parts.clock, {
      rate: (mostPerObject * 1_000) / minute,
      burst: mostPerObject,
    });
    this.#failures = new LogThrottle(parts.clock, parts.log);
  }

  /** Something happened. */
  record(occurrence: Occurrence): void {
    this.#note(occurrence, true);
  }

  /** Something is so, and may have been told before: then it is not counted. */
  remind(occurrence: Occurrence): void {
    this.#note(occurrence, false);
  }

  #note(occurrence: Occurrence, happened: boolean): void {
    if (this.#ending.signal.aborted) return;
    const { clock, identify } = this.#parts;
    const now = clock.now();
    const identity = identify(occurrence.kind, occurrence.key);
    if (identity === undefined) {
      this.#measure(occurrence, 'unidentified');
      return;
    }
    const key = seriesKey(occurrence, identity.uid);
    const known = this.#series.find(key, now);
    if (known === undefined) this.#begin(key, occurrence, identity.uid, now);
    else if (happened) {
      known.count += 1;
      known.last = now;
      this.#countLater(key, known);
    }
  }

  #begin(key: string, occurrence: Occurrence, uid: string, now: number): void {
    if (this.#queue.size >= mostQueued || this.#allowances.tryTake(objectOf(occurrence)) > 0) {
      this.#measure(occurrence, 'dropped');
      return;
    }
    this.#series.begin(key, occurrence, uid, now);
    this.#queue.add(key);
    this.#drain();
  }

  /** Forgets what only the leader tells, as far as it is not told yet. */
  retract(): void {
    for (const key of this.#queue) {
      const series = this.#series.get(key);
      if (series === undefined || series.event !== undefined || series.occurrence.toldBy !== 'leader') continue;
      this.#queue.delete(key);
      this.#series.forget(key);
    }
  }

  stop(): void {
    this.#ending.abort();
    this.#stopTimer();
    this.#queue.clear();
    this.#series.clear();
  }

  #countLater(key: string, series: EventSeries): void {
    const { event } = series;
    if (event === undefined || event.count === series.count) return;
    if (series.stopTimer !== undefined || this.#queue.has(key)) return;
    const { clock } = this.#parts;
    const wait = Math.min(minute, Math.max(0, event.at + minute - clock.now()));
    const turn = (): void => {
      const allowed = this.#allowances.tryTake(objectOf(series.occurrence)) === 0;
      series.stopTimer = allowed ? undefined : clock.after(minute, turn);
      if (!allowed) return;
      this.#queue.add(key);
      this.#drain();
    };
    series.stopTimer = clock.after(wait, turn);
  }

  #drain(): void {
    for (const key of this.#queue) {
      if (this.#sending) return;
      const series = this.#series.get(key);
      if (series === undefined) {
        this.#queue.delete(key);
        continue;
      }
      const wait = this.#bucket.tryTake();
      if (wait > 0) {
        this.#stopTimer();
        this.#stopTimer = this.#parts.clock.after(wait, () => this.#drain());
        return;
      }
      this.#queue.delete(key);
      this.#sending = true;
      void this.#send(key, series).then(() => {
        this.#sending = false;
        if (this.#series.get(key) === series) this.#countLater(key, series);
        this.#drain();
      });
    }
  }

  #send(key: string, series: EventSeries): Promise<void> {
    return series.event === undefined ? this.#tell(key, series) : this.#count(key, series, series.event);
  }

  async #tell(key: string, series: EventSeries): Promise<void> {
    const { client, clock, random } = this.#parts;
    const { occurrence, uid, begun } = series;
    const [namespace = '', name = ''] = occurrence.key.split('/');
    const { kind, type, reason, action, note } = occurrence;
    const now = clock.now();
    const unique = `${now.toString(16)}${Math.floor(random() * 2 ** 48).toString(16)}`;
    const eventName = eventNameOf(name, unique);
    const about = { kind, namespace, name, uid };
    const event = { eventName, ...about, type, reason, action, note: noteOf(note), at: begun };
    const answer = await client.create(event, this.#ending.signal);
    this.#finish(occurrence, answer, 'created');
    if (answer.kind === 'written') series.event = { eventName, namespace, count: 1, at: now };
    else this.#series.forget(key);
  }

  async #count(key: string, series: EventSeries, event: ToldEvent): Promise<void> {
    const { client, clock } = this.#parts;
    const { count, last, occurrence } = series;
    const now = clock.now();
    const { eventName, namespace } = event;
    const answer = await client.count({ eventName, namespace, count, lastObserved: last }, this.#ending.signal);
    this.#finish(occurrence, answer, 'counted');
    if (answer.kind === 'gone') this.#series.forget(key);
    else series.event = { ...event, count: answer.kind === 'written' ? count : event.count, at: now };
  }

  #finish(occurrence: Occurrence, answer: EventAnswer, outcome: string): void {
    this.#measure(occurrence, answer.kind === 'written' ? outcome : 'failed');
    if (answer.kind === 'written') this.#failures.recovered(topic, `${topic}: works again`);
    else if (!this.#ending.signal.aborted)
      this.#failures.failed(topic, { reason: answer.words, message: `${topic}: failed, and is tried again` });
  }

  #measure({ reason }: Occurrence, outcome: string): void {
    this.#parts.counters.count('gatehouse_status_events_total', { reason, outcome });
  }
}

function objectOf({ kind, key }: Occurrence): string {
  return `${kind} ${key}`;
}
