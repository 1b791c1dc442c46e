import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Stop } from '../edges.ts';
import { FairTurns } from '../rate/fair-turns.ts';
import { Quota } from '../rate/quota.ts';
import { eventStreamHeaders, keepAlive, keepAliveInterval } from './sse.ts';
import { every } from './timers.ts';

/** An open stream of server-sent events. */
export interface EventStream {
  /**
   * Writes whole events, after those that the client has not taken yet. Does nothing after the end. What is large comes
   * in pieces: each is copied into a buffer of its own, of a size that the allocator can use again, a few in each
   * iteration of the event loop.
   */
  write(events: string | readonly string[]): void;
  /** Ends the stream when the client has taken what was written. */
  end(): void;
}

/** Limits over all event streams of a program. */
export interface EventStreamLimits {
  /** Bytes that all clients together have not taken. */
  readonly maxUnread: number;
  /** The part of them that the streams of one caller may have. */
  readonly share: number;
}

/**
 * Looks at an idle stream, once per interval of its comments, after which it is cut because its client took nothing of
 * what waits for it: ten minutes. The operating system lets a program write again when a third of its buffer is free,
 * 1.3 MiB at most, so that a client slower than 2.3 KiB a second seems to stand still. It may be long, since the bytes
 * are limited. Looks are counted, and not time: a process that was suspended has not seen what its clients took.
 */
const stalledLooks = 40;

/** The time that these looks take, in milliseconds. */
export const stallTimeout: number = stalledLooks * keepAliveInterval;

/** Why a stream was cut: its client took nothing for a time, or the bytes of all streams, or of its caller, were too many. */
export type StreamCut = 'stalled' | 'too much unread';

/** Limits and dependencies of event streams. */
export interface EventStreamsParts {
  readonly limits: EventStreamLimits;
  readonly clock: Clock;
  /** Called with each stream that was cut, and the bytes that waited for its client. */
  readonly cut: (reason: StreamCut, unread: number) => void;
}

/** The response to stream to. */
export interface EventStreamTarget {
  readonly response: ServerResponse;
  readonly headers?: OutgoingHttpHeaders;
  /** Events that go out with the headers. */
  readonly begin?: string | undefined;
  /**
   * Milliseconds for which the headers wait for the first event, since one write costs half as much as two. By default
   * they go out at once.
   */
  readonly wait?: number | undefined;
  /** Whose share of the bytes the stream uses. */
  readonly caller: string;
  /** Called once, when the stream has ended for any reason. */
  readonly closed: () => void;
}

/** Bytes that are handed to the operating system at once: what a client must take to show that it reads. */
const sliceSize = 64 * 1024;

/** Pieces that are copied in one iteration of the event loop: a megabyte, which takes about a millisecond. */
const piecesPerTurn = 4;

/** Bytes that a message, or a piece of one, takes in a queue beside its own. */
const messageOverhead = 256;

/**
 * Milliseconds without a byte taken after which a client counts as one that takes nothing, when somebody must be cut.
 * The windows of TCP open in steps, so a steady reader seems to pause.
 */
const readingGap = 2_000;

/**
 * Writes event streams, and bounds what waits for clients. Neither the length of a message nor the time that a client
 * needs for it ends a stream, as long as the client takes something. When all clients together, or those of one
 * caller, leave more unread than the limits allow, streams are cut until it fits: those whose clients take nothing
 * before others, and then the one with the most unread bytes.
 */
export class EventStreams {
  readonly #parts: EventStreamsParts;
  readonly #quota: Quota;
  readonly #turns = new FairTurns();
  /** The streams that hold unread bytes. */
  readonly #holding = new Set<BufferedStream>();

  constructor(parts: EventStreamsParts) {
    this.#parts = parts;
    this.#quota = new Quota(parts.limits.maxUnread, parts.limits.share);
  }

  /** Bytes that all clients have not taken, with what their messages cost. */
  get unread(): number {
    return this.#quota.total;
  }

  /** Responds with an event stream. */
  open(target: EventStreamTarget): EventStream {
    const stream = new BufferedStream(target, {
      clock: this.#parts.clock,
      reserve: (bytes) => this.#reserve(stream, bytes),
      release: (bytes) => this.#release(stream, bytes),
      stalled: () => this.#cut(stream, 'stalled'),
      turn: () => this.#turns.next(target.caller),
    });
    stream.start();
    return stream;
  }

  /** Makes room for bytes of a stream. Returns false when that stream itself was cut. */
  #reserve(stream: BufferedStream, bytes: number): boolean {
    while (!this.#quota.acquire(stream.caller, bytes)) {
      const victim = this.#victim(stream, bytes);
      this.#cut(victim, 'too much unread');
      if (victim === stream) return false;
    }
    this.#holding.add(stream);
    return true;
  }

  #release(stream: BufferedStream, bytes: number): void {
    this.#quota.release(stream.caller, bytes);
    if (stream.unread === 0) this.#holding.delete(stream);
  }

  /** Selects the stream to cut so that another one, which may be the same, can hold `bytes` more. */
  #victim(stream: BufferedStream, bytes: number): BufferedStream {
    const ownOnly = this.#quota.exceedsShare(stream.caller, bytes);
    const now = this.#parts.clock.monotonic();
    let victim = stream;
    let most = { idle: stream.takesNothing(now), unread: stream.unread + bytes };
    for (const other of this.#holding) {
      if (other === stream || (ownOnly && other.caller !== stream.caller)) continue;
      const idle = other.takesNothing(now);
      if (idle === most.idle ? other.unread <= most.unread : most.idle) continue;
      victim = other;
      most = { idle, unread: other.unread };
    }
    return victim;
  }

  #cut(stream: BufferedStream, reason: StreamCut): void {
    const { unread } = stream;
    stream.destroy();
    this.#parts.cut(reason, unread);
  }
}

interface BufferedStreamParts {
  readonly clock: Clock;
  /** Asks for room for bytes. Returns false when this stream was cut instead. */
  readonly reserve: (bytes: number) => boolean;
  readonly release: (bytes: number) => void;
  /** Cuts this stream. */
  readonly stalled: () => void;
  /** Resolves when more pieces may be copied. */
  readonly turn: () => Promise<void>;
}

/** One event stream, with the queue of what its client has not taken. */
class BufferedStream implements EventStream {
  readonly caller: string;
  readonly #response: ServerResponse;
  readonly #headers: OutgoingHttpHeaders | undefined;
  readonly #begin: string | undefined;
  readonly #wait: number | undefined;
  readonly #closed: () => void;
  readonly #parts: BufferedStreamParts;
  readonly #queue = new ByteQueue();
  /**
   * Pieces that come after the queue and are not copied yet: within a few iterations of the event loop, since each may
   * be a part of a string that holds the whole message.
   */
  #uncopied: string[] = [];
  /** Bytes of the response that the operating system has not taken. */
  #inFlight = 0;
  #unread = 0;
  /** Time at which the client took something last, or at which the oldest unread byte was written. */
  #lastTaken: number;
  /** Looks since then. */
  #looks = 0;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #stopTimer: Stop = () => {};
  #stopWaiting: Stop = () => {};

  constructor({ response, headers, begin, wait, caller, closed }: EventStreamTarget, parts: BufferedStreamParts) {
    this.caller = caller;
    this.#response = response;
    this.#headers = headers;
    this.#begin = begin;
    this.#wait = wait;
    this.#closed = closed;
    this.#parts = parts;
    this.#lastTaken = parts.clock.monotonic();
  }

  /** Bytes that the client has not taken, with what their messages cost. */
  get unread(): number {
    return this.#unread;
  }

  takesNothing(now: number): boolean {
    return this.#unread > 0 && now - this.#lastTaken >= readingGap;
  }

  start(): void {
    const response = this.#response;
    response.once('close', () => this.#finish());
    this.#stopTimer = every(this.#parts.clock, keepAliveInterval, () => this.#check());
    response.writeHead(200, { ...this.#headers, ...eventStreamHeaders });
    const begin = this.#begin;
    if (begin !== undefined && !this.#push([begin])) return;
    const wait = this.#wait;
    if (wait === undefined) this.#flush();
    else this.#stopWaiting = this.#parts.clock.after(wait, () => this.#flush());
  }

  write(events: string | readonly string[]): void {
    if (this.#state !== 'open') return;
    if (this.#push(typeof events === 'string' ? [events] : events)) this.#send();
  }

  /** Queues whole events. Returns false when this stream was cut instead. */
  #push(pieces: readonly string[]): boolean {
    const cost = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece) + messageOverhead, 0);
    // Before any byte of it: a stream that is cut in the middle of a message cannot say so.
    if (!this.#parts.reserve(cost)) return false;
    if (this.#unread === 0) this.#showProgress();
    this.#unread += cost;
    const isCopying = this.#uncopied.length > 0;
    const copied = isCopying ? 0 : piecesPerTurn;
    for (const piece of pieces.slice(0, copied)) this.#queue.push(Buffer.from(piece));
    if (pieces.length <= copied) return true;
    this.#uncopied.push(...pieces.slice(copied));
    if (!isCopying) void this.#copyInTurns();
    return true;
  }

  async #copyInTurns(): Promise<void> {
    while (this.#uncopied.length > 0) {
      await this.#parts.turn();
      for (const piece of this.#uncopied.splice(0, piecesPerTurn)) this.#queue.push(Buffer.from(piece));
      this.#send();
    }
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#send();
  }

  /** Closes the connection. The bytes are free at once; `closed` follows when the connection is closed. */
  destroy(): void {
    this.#discard();
    this.#response.destroy();
  }

  #flush(): void {
    if (this.#queue.isEmpty) this.#response.flushHeaders();
    else this.#send();
  }

  /** Hands queued bytes to the operating system, as long as it takes them. */
  #send(): void {
    this.#stopWaiting();
    while (this.#inFlight < sliceSize) {
      const slice = this.#queue.shift(sliceSize);
      if (slice === undefined) break;
      const { length } = slice.bytes;
      this.#inFlight += length;
      const cost = length + (slice.isLast ? messageOverhead : 0);
      this.#response.write(slice.bytes, (error) => {
        if (error === null || error === undefined) this.#taken(length, cost);
      });
    }
    const isEmpty = this.#queue.isEmpty && this.#uncopied.length === 0;
    if (this.#state === 'ending' && isEmpty && !this.#response.writableEnded) this.#response.end();
  }

  #taken(length: number, cost: number): void {
    if (this.#state === 'closed') return;
    this.#inFlight -= length;
    this.#showProgress();
    this.#unread -= cost;
    this.#parts.release(cost);
    this.#send();
  }

  /** Keeps an idle stream open, and ends one that stalls. */
  #check(): void {
    if (this.#state === 'open' && this.#unread === 0) this.write(keepAlive);
    else {
      this.#looks += 1;
      if (this.#looks >= stalledLooks) this.#parts.stalled();
    }
  }

  #showProgress(): void {
    this.#lastTaken = this.#parts.clock.monotonic();
    this.#looks = 0;
  }

  #finish(): void {
    this.#discard();
    this.#closed();
  }

  #discard(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopTimer();
    this.#stopWaiting();
    this.#queue.clear();
    this.#uncopied = [];
    const unread = this.#unread;
    this.#unread = 0;
    this.#parts.release(unread);
  }
}

/** Messages, or pieces of them, in their order, taken out in slices. */
class ByteQueue {
  #messages: Uint8Array[] = [];
  /** The first message that is left, and the number of its bytes that were taken. */
  #first = 0;
  #offset = 0;

  get isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
  }

  /** Takes up to `size` bytes of the first message; `isLast`: they are its last ones. */
  shift(size: number): { readonly bytes: Uint8Array; readonly isLast: boolean } | undefined {
    const message = this.#messages[this.#first];
    if (message === undefined) return undefined;
    const bytes = message.subarray(this.#offset, this.#offset + size);
    this.#offset += bytes.length;
    const isLast = this.#offset === message.length;
    if (isLast) this.#drop();
    return { bytes, isLast };
  }

  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.#offset = 0;
  }

  #drop(): void {
    this.#offset = 0;
    this.#first += 1;
    // Not `shift`, which moves all others: at most as many are moved here as were taken since the last time.
    if (this.#first * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(this.#first);
    this.#first = 0;
  }
}
