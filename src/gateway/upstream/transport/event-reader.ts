import type { TargetBody } from '../../model.ts';
import { MessageBuffer, type MessageLimits, type TakenMessage } from './message-buffer.ts';

/** A server-sent event with data. */
interface ServerEvent {
  /** `message` when the event names no type. */
  readonly type: string;
  readonly data: TakenMessage;
}

/** What a stream of events contains. */
export interface EventHandler {
  event(event: ServerEvent): void;
  /** The id to resume the stream after, with the `Last-Event-ID` header. */
  id?(id: string): void;
  /** The delay in milliseconds after which to reconnect. */
  retry?(milliseconds: number): void;
  /** Called with the number of lines, or of 64 bytes of longer ones, that belong to no event. */
  ignored(lines: number): void;
  /** Called before more is read, which waits for it. */
  pace?(): Promise<void> | undefined;
}

/**
 * Reads a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) until its end.
 * Takes time in proportion to the bytes, whatever lines there are, and keeps one event at a time, within the limits of
 * a message. What a handler throws ends the reading.
 */
export async function readEvents(body: TargetBody, limits: MessageLimits, handler: EventHandler): Promise<void> {
  const parser = new EventParser(limits, handler, () => void body.cancel().catch(() => {}));
  try {
    for await (const chunk of body) {
      await parser.ready();
      for (let next = parser.push(chunk, 0); next < chunk.length; next = parser.push(chunk, next)) {
        await (handler.pace?.() ?? nextTurn());
      }
      await handler.pace?.();
    }
    parser.assertKept();
  } catch (error) {
    parser.assertKept();
    throw error;
  } finally {
    parser.clear();
  }
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const space = 0x20;
const byteOrderMark: readonly number[] = [0xef, 0xbb, 0xbf];
/** Characters of the longest field that is read, `event` or `retry`. */
const longestField = 5;
/** Bytes of an event's type or id, and digits of a delay; a longer one is ignored. */
const maxFieldBytes = 1_024;
/** Bytes of an ignored line that count as one line. */
export const bytesPerLine = 64;

/** Events that are handled before others have a turn: a chunk may have thousands. */
const eventsPerTurn = 16;

/** Resolves in the next iteration of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The part of a line that comes next. */
type LinePart = 'name' | 'space' | 'value';

class EventParser {
  readonly #handler: EventHandler;
  readonly #data: MessageBuffer;
  #markIndex = 0;
  #afterCarriageReturn = false;
  #part: LinePart = 'name';
  #name = '';
  /** The value of any field but `data`. */
  #value = '';
  #lineBytes = 0;
  #ignored = 0;
  #type = '';
  #dataLines = 0;
  /** Events since {@link push} was called. */
  #events = 0;

  constructor(limits: MessageLimits, handler: EventHandler, evicted: () => void) {
    this.#handler = handler;
    this.#data = new MessageBuffer(limits, evicted);
  }

  /** Resolves when more may be read. */
  ready(): Promise<void> {
    return this.#data.ready();
  }

  /** Reads from an index on, until the end or for some events. Returns the index to continue at. */
  push(chunk: Uint8Array, from: number): number {
    let start = this.#skipMark(chunk, from);
    let nextFeed = -1;
    let nextReturn = -1;
    this.#events = 0;
    while (start < chunk.length && this.#events < eventsPerTurn) {
      if (this.#afterCarriageReturn && chunk[start] === lineFeed) start += 1;
      this.#afterCarriageReturn = false;
      // Each is searched for once per occurrence, so that a stream with many of one and few of the other is linear.
      if (nextFeed < start) nextFeed = indexOrEnd(chunk, lineFeed, start);
      if (nextReturn < start) nextReturn = indexOrEnd(chunk, carriageReturn, start);
      const end = Math.min(nextFeed, nextReturn);
      this.#addToLine(chunk.subarray(start, end));
      start = end + 1;
      if (end === chunk.length) break;
      this.#endLine();
      this.#afterCarriageReturn = end === nextReturn;
    }
    if (this.#ignored >= 1) {
      const lines = Math.floor(this.#ignored);
      this.#ignored -= lines;
      this.#handler.ignored(lines);
    }
    return start;
  }

  /** @throws AnswerBudgetError when an unfinished event was dropped for messages of others */
  assertKept(): void {
    this.#data.assertKept();
  }

  /** Drops an unfinished event. */
  clear(): void {
    this.#data.clear();
  }

  #skipMark(chunk: Uint8Array, from: number): number {
    let index = from;
    while (this.#markIndex < byteOrderMark.length && index < chunk.length) {
      if (chunk[index] !== byteOrderMark[this.#markIndex]) this.#markIndex = byteOrderMark.length;
      else {
        this.#markIndex += 1;
        index += 1;
      }
    }
    return index;
  }

  /** Adds bytes without a line end, which may be a part of a line only. */
  #addToLine(bytes: Uint8Array): void {
    this.#lineBytes += bytes.length;
    let start = 0;
    while (this.#part === 'name' && start < bytes.length) {
      const byte = bytes[start] ?? 0;
      start += 1;
      if (byte === colon) this.#beginValue();
      else if (this.#name.length > longestField) break;
      else this.#name += String.fromCharCode(byte);
    }
    if (this.#part === 'space' && start < bytes.length) {
      if (bytes[start] === space) start += 1;
      this.#part = 'value';
    }
    if (this.#part !== 'value' || start === bytes.length) return;
    if (this.#name === 'data') this.#data.append(bytes.subarray(start));
    else if (isKnown(this.#name) && this.#value.length <= maxFieldBytes) {
      this.#value += Buffer.from(bytes.subarray(start, start + maxFieldBytes + 1)).toString('latin1');
    }
  }

  #beginValue(): void {
    this.#part = 'space';
    if (this.#name === 'data') this.#beginData();
  }

  #beginData(): void {
    if (this.#dataLines > 0) this.#data.append(newline);
    else this.#data.addPiece();
    this.#dataLines += 1;
  }

  #endLine(): void {
    const name = this.#name;
    const value = this.#value;
    const bytes = this.#lineBytes;
    if (bytes === 0) this.#endEvent();
    else if (name === 'data') {
      if (this.#part === 'name') this.#beginData();
    } else {
      this.#ignored += 1 + bytes / bytesPerLine;
      if (isKnown(name) && value.length <= maxFieldBytes) {
        this.#setField(name, Buffer.from(value, 'latin1').toString());
      }
    }
    this.#part = 'name';
    this.#name = '';
    this.#value = '';
    this.#lineBytes = 0;
  }

  #setField(name: string, value: string): void {
    if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.#handler.id?.(value);
    else if (name === 'retry' && /^\d{1,15}$/.test(value)) this.#handler.retry?.(Number(value));
  }

  #endEvent(): void {
    const type = this.#type === '' ? 'message' : this.#type;
    this.#type = '';
    if (this.#dataLines === 0) {
      this.#ignored += 1;
      return;
    }
    this.#dataLines = 0;
    this.#events += 1;
    this.#handler.event({ type, data: this.#data.take() });
  }
}

const newline = Uint8Array.of(lineFeed);

const isKnown = (field: string): boolean => field === 'event' || field === 'id' || field === 'retry';

function indexOrEnd(chunk: Uint8Array, byte: number, start: number): number {
  const index = chunk.indexOf(byte, start);
  return index === -1 ? chunk.length : index;
}
