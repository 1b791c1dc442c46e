import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { reasonOf } from '../../net/errors.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { WorkQueue } from '../../rate/work-queue.ts';
import type { RequestError } from '../api/request-error.ts';
import type { WriteResult, WriteStatus } from './status-client.ts';
import type { PendingPatch, StatusIndex, StatusObject } from './status-index.ts';
import { historyAfter, noWrites, type WriteHistory, writeDelay } from './write-backoff.ts';

/** Writes per second over all objects, and concurrent requests. */
const writeRate = { rate: 20, burst: 30 };
const maxInFlight = 4;

/** Warnings per second about refused content, per object: one that flaps is refused at each change. */
const warningRate = { rate: 1 / 600, burst: 5 };

const topic = 'writing statuses';

/** Pause of all writes while the API server is unavailable. */
const outageBackoff: Backoff = { initial: 500, max: 30_000 };

/**
 * How often the success of another request ends such a pause: a server that answers others and never a write would get
 * one for each of them otherwise.
 */
const wakeRate = { rate: 1 / 30, burst: 4 };

/** What is written, when that is allowed, and dependencies. */
export interface StatusWriterParts {
  readonly index: StatusIndex;
  readonly write: WriteStatus;
  /**
   * Returns true if the desired status of an object is not known now, since a commit has postponed it. Whoever returns true
   * calls `changed` when it is.
   */
  readonly postpones?: (object: StatusObject) => boolean;
  /** Called before each write: whether this replica still leads. */
  readonly mayWrite: () => boolean;
  /** Calls `run` for each request of the process that the API server answers, until it is stopped. */
  readonly onSuccess: (run: () => void) => Stop;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/**
 * Reconciles statuses: queues the objects whose observed status differs from the desired one, and patches each with the
 * newest desired status at the time of sending. One write is in flight per object. Objects that are up to date cost no
 * request, also when their observation is a write of this writer.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #queue: WorkQueue<StatusObject>;
  readonly #failures: LogThrottle;
  readonly #warnings: KeyedRateLimiter;
  readonly #histories = new Map<string, WriteHistory>();
  /** The term of leadership; aborted at its end, which cancels its requests. Undefined: this replica does not lead. */
  #term: AbortController | undefined;
  /** Consecutive pauses because of an unavailable API server. */
  #outages = 0;
  readonly #wakes: RateLimiter;
  /** Before this time, the server has asked for no write. */
  #notBefore = 0;
  #stopListening: Stop = () => {};

  constructor(parts: StatusWriterParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#queue = new WorkQueue({
      clock,
      limiter: new RateLimiter(clock, writeRate),
      concurrency: maxInFlight,
      keyOf: idOf,
      begin: (object) => this.#begin(object),
      resized: (size) => parts.counters.gauge('gatehouse_status_pending', size),
    });
    this.#failures = new LogThrottle(clock, log);
    this.#wakes = new RateLimiter(clock, wakeRate);
    this.#warnings = new KeyedRateLimiter(clock, warningRate);
  }

  /** Starts a term of leadership: compares every object once. */
  start(): void {
    if (this.#term === undefined) {
      this.#term = new AbortController();
      this.#stopListening = this.#parts.onSuccess(() => this.#wake());
    }
    this.changed(this.#parts.index.objects());
  }

  /** Ends the term: cancels requests in flight and forgets all state. */
  stop(): void {
    this.#term?.abort();
    this.#term = undefined;
    this.#stopListening();
    this.#outages = 0;
    this.#queue.clear();
    this.#histories.clear();
  }

  /** Compares these objects again: their observed or their desired status may have changed. */
  changed(objects: Iterable<StatusObject>): void {
    if (this.#term === undefined) return;
    for (const object of objects) this.#compare(object);
  }

  #compare(object: StatusObject): void {
    const { index, clock } = this.#parts;
    if (index.observed(object) === undefined) this.#histories.delete(idOf(object));
    if (this.#patchOf(object, clock.now()) === undefined) this.#queue.delete(object);
    else this.#queue.add(object);
  }

  /** The patch that is due; undefined: none is, as far as is known now. A comparison that throws, which is a bug of ours, must not lose those of other objects. */
  #patchOf(object: StatusObject, now: number): PendingPatch | undefined {
    if (this.#parts.postpones?.(object) === true) return undefined;
    try {
      return this.#parts.index.pendingPatch(object, now);
    } catch (error) {
      const message = 'internal error: a status could not be compared, and is not written';
      this.#failures.failed(`comparing a ${object.kind}`, {
        reason: reasonOf(error),
        message,
        fields: { object: idOf(object) },
      });
      return undefined;
    }
  }

  #begin(object: StatusObject): Promise<void> | undefined {
    const { clock, mayWrite } = this.#parts;
    const patch = this.#patchOf(object, clock.now());
    if (patch === undefined) return undefined;
    const delay = writeDelay(this.#historyOf(object), patch, clock.monotonic());
    if (delay > 0) {
      this.#queue.addAfter(object, delay);
      return undefined;
    }
    // mayWrite may end the term.
    if (!mayWrite() || this.#term === undefined) return undefined;
    return this.#send(object, patch, this.#term);
  }

  async #send(object: StatusObject, patch: PendingPatch, term: AbortController): Promise<void> {
    const result = await this.#parts.write(patch, term.signal);
    this.#parts.counters.count('gatehouse_status_writes_total', { kind: object.kind, outcome: result.kind });
    if (term !== this.#term) return;
    if (result.kind === 'unavailable') {
      this.#pause(result);
    } else {
      this.#outages = 0;
      this.#failures.recovered(topic, `${topic}: works again`);
      this.#apply(object, patch, result);
    }
    this.#compare(object);
  }

  /** Applies a result that is about one object. */
  #apply(object: StatusObject, patch: PendingPatch, result: Exclude<WriteResult, { kind: 'unavailable' }>): void {
    const { index, clock, random } = this.#parts;
    const history = historyAfter(this.#historyOf(object), patch, result.kind, clock.monotonic(), random);
    this.#histories.set(idOf(object), history);
    this.#log(object, result);
    // An observation since the write began is at least as new as the result.
    if (index.observed(object)?.resourceVersion !== patch.resourceVersion) return;
    if (result.kind === 'written') index.observe({ ...object, object: result.object });
    if (result.kind === 'gone') index.observe({ ...object, object: undefined });
  }

  #log(object: StatusObject, result: WriteResult): void {
    const ofKind = `writing the status of a ${object.kind}`;
    if (result.kind === 'written') {
      this.#failures.recovered(ofKind, `${ofKind}: works again`);
    } else if (result.kind === 'failed') {
      this.#failures.failed(ofKind, { reason: result.message, message: `${ofKind}: failed, and is tried again` });
    } else if (result.kind === 'refused' && this.#warnings.tryTake(idOf(object)) === 0) {
      const fields = { object: idOf(object), because: result.message };
      const message = 'the API server refuses a status: it is sent again in ten minutes, or once it is another one';
      this.#parts.log.warn(message, fields);
    }
  }

  #pause({ message, retryAfter }: Extract<RequestError, { kind: 'unavailable' }>): void {
    this.#failures.failed(topic, { reason: message, message: `${topic}: failed, and is tried again` });
    // Requests in flight fail together: they count as one outage.
    if (this.#queue.paused) return;
    this.#outages += 1;
    this.#notBefore = this.#parts.clock.monotonic() + retryAfter;
    this.#queue.pause(Math.max(backoffDelay(this.#outages, outageBackoff, this.#parts.random), retryAfter));
  }

  /** The server answers another request: it is back. */
  #wake(): void {
    if (!this.#queue.paused || this.#parts.clock.monotonic() < this.#notBefore || this.#wakes.tryTake() > 0) return;
    this.#outages = 0;
    this.#queue.resume();
  }

  #historyOf(object: StatusObject): WriteHistory {
    return this.#histories.get(idOf(object)) ?? noWrites;
  }
}

function idOf({ kind, key }: StatusObject): string {
  return `${kind} ${key}`;
}
