import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { Refusal } from '../api/api-answer.ts';
import type { WriteAnswer, WriteStatus } from './status-client.ts';
import type { DueWrite, StatusBook, StatusObject } from './status-index.ts';
import { type Pace, paceAfterFailing, paceAfterWriting, waitOf } from './write-backoff.ts';

/** Over all objects: so many writes a second, so many at once, so many unanswered. */
const perSecond = 20;
const burst = 30;
const mostInFlight = 4;

const writing = 'writing statuses';

/** While an API server serves nobody. */
const outage: Backoff = { initial: 500, max: 30_000 };

/** What was refused may be accepted after a while: somebody mends a CRD, or lifts an admission policy. In milliseconds. */
const refusedPatience = 600_000;

export interface StatusWriterParts {
  readonly book: StatusBook;
  readonly write: WriteStatus;
  /** Asked before each write: whether this replica still leads. */
  readonly mayWrite: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** What is remembered of an object after it was written to. */
interface Memory {
  readonly object: StatusObject;
  pace: Pace | undefined;
  /** What the API server did not accept, without its times: it is not sent again before this time. */
  refused: { readonly content: string; readonly until: number } | undefined;
  /** The resource version that was no longer the newest one. */
  outdated: string | undefined;
}

/**
 * Writes the statuses that are due, each object's newest one at the time of sending. It may be told of any change any
 * number of times: what is already as it should be costs nothing, and its own writes, when they come back, are that.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #bucket: RateLimiter;
  readonly #failures: LogThrottle;
  /** Of refusals in the log: an object that flaps is refused as often as it changes. */
  readonly #mentions: KeyedRateLimiter;
  readonly #memories = new Map<string, Memory>();
  /** In the order in which they are written. */
  readonly #ready = new Map<string, StatusObject>();
  /** Too early for these. */
  readonly #waiting = new Map<string, Stop>();
  readonly #inFlight = new Set<string>();
  /** Aborted when this replica may write no longer. */
  #term: AbortController | undefined;
  #outages = 0;
  #paused = false;
  #stopPause: Stop = () => {};
  #stopTokenTimer: Stop = () => {};

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
    this.#bucket = new RateLimiter(parts.clock, { rate: perSecond, burst });
    this.#failures = new LogThrottle(parts.clock, parts.log);
    this.#mentions = new KeyedRateLimiter(parts.clock, { rate: 1 / 600, burst: 5 });
  }

  /** From now on statuses are written; every object is looked at once. */
  start(): void {
    this.#term ??= new AbortController();
    for (const object of this.#parts.book.objects()) this.#look(object);
    this.#drain();
  }

  /** Nothing is written from now on; what is under way is given up. */
  stop(): void {
    this.#term?.abort();
    this.#term = undefined;
    this.#stopPause();
    this.#stopTokenTimer();
    this.#paused = false;
    this.#outages = 0;
    for (const stopWaiting of this.#waiting.values()) stopWaiting();
    for (const held of [this.#waiting, this.#ready, this.#inFlight, this.#memories]) held.clear();
    this.#measure();
  }

  /** To be told when objects, or what is desired of them, are others now. */
  changed(objects: Iterable<StatusObject>): void {
    if (this.#term === undefined) return;
    for (const object of objects) this.#look(object);
    this.#drain();
  }

  #look(object: StatusObject): void {
    const id = idOf(object);
    if (this.#inFlight.has(id)) return;
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
    const { book, clock } = this.#parts;
    if (book.observed(object) === undefined) this.#memories.delete(id);
    const due = book.due(object, clock.now());
    if (due === undefined) {
      this.#ready.delete(id);
      return;
    }
    const refusedFor = this.#refusedFor(object, due);
    if (refusedFor > 0) {
      this.#postpone(object, refusedFor);
      return;
    }
    const memory = this.#memories.get(id);
    // The newer object was seen, as was to be expected after a conflict.
    const caughtUp = memory?.outdated !== undefined && memory.outdated !== due.resourceVersion;
    const wait = caughtUp && memory.pace?.failures === 1 ? 0 : waitOf(memory?.pace, due.cause, clock.now());
    if (wait === 0) this.#ready.set(id, object);
    else this.#postpone(object, wait);
  }

  #postpone(object: StatusObject, milliseconds: number): void {
    const id = idOf(object);
    this.#ready.delete(id);
    this.#waiting.set(
      id,
      this.#parts.clock.after(milliseconds, () => {
        this.#waiting.delete(id);
        this.#ready.set(id, object);
        this.#drain();
      }),
    );
  }

  #due(object: StatusObject): DueWrite | undefined {
    const { book, clock } = this.#parts;
    const due = book.due(object, clock.now());
    return due !== undefined && this.#refusedFor(object, due) > 0 ? undefined : due;
  }

  /** In how many milliseconds what was refused may be sent again; 0: now. A clock that was set makes nobody wait longer. */
  #refusedFor(object: StatusObject, due: DueWrite): number {
    const refused = this.#memories.get(idOf(object))?.refused;
    if (refused === undefined || refused.content !== contentOf(due)) return 0;
    return Math.min(refusedPatience, Math.max(0, refused.until - this.#parts.clock.now()));
  }

  #drain(): void {
    for (const [id, object] of this.#ready) {
      if (this.#paused || this.#term === undefined || this.#inFlight.size >= mostInFlight) break;
      const due = this.#due(object);
      if (due === undefined) {
        this.#ready.delete(id);
        continue;
      }
      // Asking may already have stopped this.
      if (!this.#parts.mayWrite() || this.#term === undefined) break;
      const wait = this.#bucket.tryTake();
      if (wait > 0) {
        this.#stopTokenTimer();
        this.#stopTokenTimer = this.#parts.clock.after(wait, () => this.#drain());
        break;
      }
      this.#ready.delete(id);
      this.#inFlight.add(id);
      void this.#send(object, due, this.#term);
    }
    this.#measure();
  }

  async #send(object: StatusObject, due: DueWrite, term: AbortController): Promise<void> {
    const answer = await this.#parts.write(due, term.signal);
    const outcome = answer.kind === 'unavailable' ? 'failed' : answer.kind;
    this.#parts.counters.count('gatehouse_status_writes_total', { kind: object.kind, outcome });
    if (term !== this.#term) return;
    this.#inFlight.delete(idOf(object));
    if (answer.kind === 'unavailable') {
      this.#ready.set(idOf(object), object);
      this.#pause(answer);
    } else {
      this.#outages = 0;
      this.#failures.recovered(writing, `${writing}: works again`);
      this.#takeOver(object, due, answer);
      this.#look(object);
    }
    this.#drain();
  }

  /** Takes over what an answer says of one object. */
  #takeOver(object: StatusObject, due: DueWrite, answer: WriteAnswer): void {
    const { book, clock, random, log } = this.#parts;
    const memory = this.#memoryOf(object);
    const unseen = book.observed(object)?.resourceVersion === due.resourceVersion;
    const words = `writing the status of a ${object.kind}`;
    memory.outdated = answer.kind === 'conflict' ? due.resourceVersion : undefined;
    memory.refused =
      answer.kind === 'refused' ? { content: contentOf(due), until: clock.now() + refusedPatience } : undefined;
    if (answer.kind === 'written') {
      memory.pace = paceAfterWriting(memory.pace, due.cause, clock.now(), random);
      this.#failures.recovered(words, `${words}: works again`);
      // Whatever was observed since is at least as new as this.
      if (unseen) book.observe({ ...object, object: answer.object });
    } else if (answer.kind === 'gone') {
      if (unseen) book.observe({ ...object, object: undefined });
    } else if (answer.kind === 'refused') {
      if (this.#mentions.tryTake(idOf(object)) > 0) return;
      const fields = { object: idOf(object), because: answer.words };
      log.warn('the API server refuses a status: it is sent again in ten minutes, or once it is another one', fields);
    } else {
      memory.pace = paceAfterFailing(memory.pace, due.cause, clock.now(), random);
      if (answer.kind === 'failed')
        this.#failures.failed(words, { reason: answer.words, message: `${words}: failed, and is tried again` });
    }
  }

  #memoryOf(object: StatusObject): Memory {
    const known = this.#memories.get(idOf(object));
    if (known !== undefined) return known;
    const memory: Memory = { object, pace: undefined, refused: undefined, outdated: undefined };
    this.#memories.set(idOf(object), memory);
    return memory;
  }

  #pause({ words, retryAfter }: Extract<Refusal, { kind: 'unavailable' }>): void {
    this.#failures.failed(writing, { reason: words, message: `${writing}: failed, and is tried again` });
    if (this.#paused) return;
    this.#outages += 1;
    this.#paused = true;
    const { clock, random } = this.#parts;
    const wait = Math.max(backoffDelay(this.#outages, outage, random), retryAfter ?? 0);
    this.#stopPause = clock.after(wait, () => {
      this.#paused = false;
      this.#drain();
    });
  }

  #measure(): void {
    const pending = this.#ready.size + this.#waiting.size + this.#inFlight.size;
    this.#parts.counters.gauge('gatehouse_status_pending', pending);
  }
}

function idOf({ kind, key }: StatusObject): string {
  return `${kind} ${key}`;
}

/** What is sent, but for the times of transitions that happen by sending it. */
function contentOf({ fields }: DueWrite): string {
  return JSON.stringify(fields, (name, value: unknown) => (name === 'lastTransitionTime' ? undefined : value));
}
