import { eventPieces, retryText } from '../../net/sse.ts';
import { Quota } from '../../rate/quota.ts';
import type { Caller } from '../model.ts';
import type { Message, RequestId } from '../rpc/model.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import { encodePieces, rememberText } from '../rpc/source-text.ts';
import type { MayReceive, PartOf } from '../session/model.ts';

/*
 * The events of a session's streams, kept for a client that lost a stream and asks for what came after an event (MCP
 * 2025-11-25, Resumability and Redelivery). Whether a caller may have a message is decided anew when it is delivered
 * again. What no longer fits is dropped, the oldest first; what is left of a response then is an error that says so.
 */

/** Milliseconds after which a client that was disconnected should ask again, by the SSE field `retry`. */
const retryDelay = 1_000;

/** What one session keeps. */
const perSession = { events: 64, bytes: 256 * 1024 } as const;

/** Bytes of the events of all sessions, and the part of them that one caller may have. */
const maxBytes = 32 * 1024 * 1024;
const callerShare = 1 / 2;
/** Two callers leave a third, so that streams that go on, which nobody drops, leave something for another caller. */
const shareOfRest = 1;

/** Bytes of an event, its stream and its decision beside the text, which takes two for each character. */
const eventOverhead = 1_024;

/** Where a stream is written to now. */
export interface EventSink {
  /** Who reads it. */
  readonly reader: Caller;
  write(events: readonly string[]): void;
  /** Ends the response when what was written is read. */
  end(): void;
}

/** One stream of a session, over any number of responses. */
export interface LoggedStream {
  /** The reader of the response that it is written to now. */
  readonly reader: Caller | undefined;
  send(message: Message, mayReceive: MayReceive, partOf?: PartOf): void;
  /**
   * Continues in another response, which gets the events after `after` that its reader may have. By default those that
   * were never written.
   */
  attach(sink: EventSink, after?: number): void;
  /** Call it when a response is closed. */
  detach(sink: EventSink): void;
  /** An event without data that comes before all others, whose id the client can resume after. */
  readonly primer: string;
  /**
   * Ends the response for now.
   *
   * @param retry milliseconds after which its reader should ask again; by default as it was told before
   */
  pause(retry?: number): void;
  /** Nothing will be sent any more: ends the response. */
  end(): void;
  /** Resolves when what was sent has been written to some response, or is dropped. */
  read(): Promise<void>;
}

/** The streams of one session. */
export interface EventLog {
  /** The stream for messages that no request has caused. */
  readonly own: LoggedStream;
  /**
   * Opens the stream of the responses to a POST. The response that it is attached to first, without an event to
   * continue after, has them whatever the rules are by then: they were made for its caller.
   */
  open(): LoggedStream;
  /** Finds the stream of this session with an event of this id; `undefined` when it is not kept any more. */
  find(eventId: string): { readonly stream: LoggedStream; readonly after: number } | undefined;
  /** Drops everything. Nothing is kept after that. */
  close(): void;
}

/** What the logs of all sessions share. */
export interface EventLogBudget {
  readonly bytes: Quota;
  /**
   * Makes room for a caller: of those who hold no less than it does, and have ended streams, the one who holds the most
   * loses that which ended first. Returns false when there is none.
   */
  dropFor(key: string): boolean;
  /** The ended streams of each caller, the oldest first. */
  readonly ended: Map<string, Set<() => void>>;
}

/** Creates the budget that all sessions share. */
export function createEventLogBudget(): EventLogBudget {
  const ended = new Map<string, Set<() => void>>();
  const bytes = new Quota(maxBytes, callerShare, shareOfRest);
  return {
    bytes,
    ended,
    dropFor(key) {
      let most = bytes.held(key);
      let from = ended.get(key);
      for (const [other, drops] of ended) {
        if (bytes.held(other) <= most) continue;
        most = bytes.held(other);
        from = drops;
      }
      const [drop] = from ?? [];
      drop?.();
      return drop !== undefined;
    },
  };
}

/** One event of a stream. */
interface KeptEvent {
  readonly number: number;
  /** In pieces; `undefined` when it was too large to be kept, or dropped. */
  readonly text: readonly string[] | undefined;
  readonly bytes: number;
  readonly mayReceive: MayReceive;
  readonly partOf: PartOf | undefined;
  /** The id of the request that it responds to. */
  readonly answers: RequestId | undefined;
}

/**
 * Starts without events.
 *
 * @param prefix begins the ids of this session's events, so that those of another session are not found
 * @param key whose share of the budget is used
 */
export function createEventLog(budget: EventLogBudget, prefix: string, key: string): EventLog {
  /** By number. An ended stream stays as long as its events are kept. */
  const streams = new Map<number, ResumableStream>();
  const kept = { events: 0, bytes: 0 };
  let nextStream = 0;
  let closed = false;

  const keeping: Keeping = {
    keep(bytes) {
      if (closed || bytes > perSession.bytes) return false;
      const isFull = (): boolean => kept.events >= perSession.events || kept.bytes + bytes > perSession.bytes;
      while (isFull() && dropOne(streams)) {}
      while (!budget.bytes.acquire(key, bytes)) if (!dropOne(streams) && !budget.dropFor(key)) return false;
      kept.events += 1;
      kept.bytes += bytes;
      return true;
    },
    dropped(bytes) {
      kept.events -= 1;
      kept.bytes -= bytes;
      budget.bytes.release(key, bytes);
    },
    ended(stream) {
      const own = budget.ended.get(key) ?? new Set();
      budget.ended.set(key, own.add(stream.drop));
    },
    forgotten(stream) {
      const own = budget.ended.get(key);
      own?.delete(stream.drop);
      if (own?.size === 0) budget.ended.delete(key);
      streams.delete(stream.number);
    },
  };

  const open = (): ResumableStream => {
    const stream = new ResumableStream(nextStream, prefix, keeping);
    nextStream += 1;
    streams.set(stream.number, stream);
    return stream;
  };

  return {
    own: open(),
    open,
    find(eventId) {
      const [, own, number, after] = /^([^-]{1,64})-(\d{1,15})-(\d{1,15})$/.exec(eventId) ?? [];
      const stream = own === prefix ? streams.get(Number(number)) : undefined;
      return stream === undefined ? undefined : { stream, after: Number(after) };
    },
    close() {
      closed = true;
      for (const stream of streams.values()) stream.drop();
    },
  };
}

/** Drops the oldest ended stream of a session, or else an event of one that goes on. Returns false without any. */
function dropOne(streams: ReadonlyMap<number, ResumableStream>): boolean {
  for (const stream of streams.values()) {
    if (!stream.isEnded) continue;
    stream.drop();
    return true;
  }
  for (const stream of streams.values()) if (stream.dropFirst()) return true;
  return false;
}

/** How a stream keeps its events. */
interface Keeping {
  /** Makes room for an event; returns false when there is none. */
  keep(bytes: number): boolean;
  dropped(bytes: number): void;
  ended(stream: ResumableStream): void;
  forgotten(stream: ResumableStream): void;
}

/** More than 1,000 live instances: one for each request of each session. */
class ResumableStream implements LoggedStream {
  readonly number: number;
  readonly #prefix: string;
  readonly #keeping: Keeping;
  #events: KeptEvent[] = [];
  #nextEvent = 1;
  /** The number of the last event that was written to some response. */
  #written = 0;
  #sink: EventSink | undefined;
  /** The response to the POST itself. Another one with the same token is decided anew. */
  #original: EventSink | undefined;
  #state: 'open' | 'ended' | 'dropped' = 'open';
  /** Called when everything that is kept is read. */
  #whenRead: (() => void) | undefined;

  constructor(number: number, prefix: string, keeping: Keeping) {
    this.number = number;
    this.#prefix = prefix;
    this.#keeping = keeping;
  }

  get reader(): Caller | undefined {
    return this.#sink?.reader;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  send(message: Message, mayReceive: MayReceive, partOf?: PartOf): void {
    const text = encodePieces(message);
    const answers = 'method' in message ? undefined : message.id;
    const bytes = 2 * text.reduce((sum, { length }) => sum + length, 0) + eventOverhead + (mayReceive.bytes ?? 0);
    const isKept = this.#keeping.keep(bytes);
    const event: KeptEvent = { number: this.#nextEvent, text, bytes, mayReceive, partOf, answers };
    this.#nextEvent += 1;
    if (isKept || answers !== undefined) this.#events.push(isKept ? event : withoutText(event));
    if (this.#sink === undefined) return;
    // Whether the reader may have anything but a response was decided just now.
    const isDecided = answers === undefined || this.#sink === this.#original;
    this.#write(this.#sink, event, isDecided);
  }

  attach(sink: EventSink, after?: number): void {
    this.#sink?.end();
    this.#sink = sink;
    if (after === undefined) this.#original = sink;
    const first = after ?? this.#written;
    for (const event of this.#events) if (event.number > first) this.#write(sink, event, false);
    if (this.#state !== 'open') this.#endSink();
    this.#whenRead?.();
  }

  detach(sink: EventSink): void {
    // Neither the response nor its connection is held by what is kept of the stream.
    if (this.#original === sink) this.#original = undefined;
    if (this.#sink === sink) this.#sink = undefined;
  }

  get primer(): string {
    return `id: ${this.#id(0)}\nretry: ${retryDelay}\ndata:\n\n`;
  }

  pause(retry?: number): void {
    if (this.#state !== 'open') return;
    if (retry !== undefined) this.#sink?.write([retryText(retry)]);
    this.#endSink();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#endSink();
    if (this.#events.some(({ text }) => text !== undefined)) this.#keeping.ended(this);
    else this.drop();
  }

  read(): Promise<void> {
    const isRead = !this.#events.some(({ number, text }) => text !== undefined && number > this.#written);
    return isRead
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#whenRead = resolve;
        });
  }

  /** Forgets the stream. A bound function, which the budget of all sessions keeps. */
  readonly drop = (): void => {
    if (this.#state === 'dropped') return;
    this.#state = 'dropped';
    this.#endSink();
    while (this.dropFirst()) {}
    this.#keeping.forgotten(this);
    this.#whenRead?.();
  };

  /** Drops the text of the oldest event that is kept; of a response, the id stays. Returns false without any. */
  dropFirst(): boolean {
    const index = this.#events.findIndex(({ text }) => text !== undefined);
    const event = this.#events[index];
    if (event === undefined) return false;
    this.#keeping.dropped(event.bytes);
    if (event.answers === undefined) this.#events.splice(index, 1);
    else this.#events[index] = withoutText(event);
    return true;
  }

  #write(sink: EventSink, { number, text, mayReceive, partOf, answers }: KeptEvent, isDecided: boolean): void {
    this.#written = Math.max(this.#written, number);
    const allowed = isDecided || mayReceive(sink.reader);
    const whole = allowed ? text : undefined;
    const part = isDecided || partOf === undefined ? whole : whole && partFor(sink.reader, whole, partOf);
    const data = part ?? refusalOf(answers, allowed);
    if (data !== undefined) sink.write(eventPieces('message', data, this.#id(number)));
  }

  #endSink(): void {
    this.#sink?.end();
    this.#sink = undefined;
  }

  #id(event: number): string {
    return `${this.#prefix}-${this.number}-${event}`;
  }
}

/** What is left of an event says only that it was too large: its decision may be, too. */
function withoutText(event: KeptEvent): KeptEvent {
  return { ...event, text: undefined, mayReceive: () => true, partOf: undefined };
}

/** The response with the part of its result that its reader may have. */
function partFor(reader: Caller, pieces: readonly string[], partOf: PartOf): readonly string[] {
  const text = pieces.join('');
  const message: Message = JSON.parse(text);
  if (!('result' in message)) return pieces;
  rememberText(message, text);
  return encodePieces({ ...message, result: partOf(message.result, reader) });
}

const keptAtMost = `${perSession.bytes} bytes in ${perSession.events} events`;
const tooLarge = `The response was too large to be kept: a session keeps ${keptAtMost}`;

/** The error in place of a response that cannot be delivered: the client would wait for it otherwise. */
function refusalOf(answers: RequestId | undefined, allowed: boolean): readonly string[] | undefined {
  if (answers === undefined) return undefined;
  const message = allowed ? tooLarge : 'The response is not for this token';
  return [JSON.stringify({ jsonrpc: '2.0', id: answers, error: { code: errorCode.unavailable, message } })];
}
