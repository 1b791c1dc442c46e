import type { TargetBody } from '../../model.ts';
import { uncountedBytes } from '../answer-limits.ts';
import type { TransportParts } from '../model.ts';
import { bytesPerLine, readEvents } from './event-reader.ts';
import { type ParsedMessages, parseMessages } from './message.ts';
import { MessageBuffer, type MessageLimits, type TakenMessage } from './message-buffer.ts';
import type { ParseAnswer } from './repeated-answers.ts';

/** Where to resume a stream of events, and when. */
export interface Resumption {
  /** The id of the last event; undefined when the stream cannot be resumed. */
  lastEventId: string | undefined;
  /** The delay that the target asked for, in milliseconds. */
  retry: number | undefined;
}

/** The limits of what arrives, and where it is reported. */
export interface Incoming extends MessageLimits, Pick<TransportParts, 'events'> {
  /** Default {@link parseMessages}. */
  readonly parse?: ParseAnswer | undefined;
}

/** What no value of a header has (RFC 9110, 5.5): a stream cannot be resumed after an event with such an id. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const noHeaderValue = /[\0-\x08\n-\x1f\x7f]/;

/** Reads the messages of an event stream until its end. */
export function readMessages(body: TargetBody, parts: Incoming, resumption: Resumption): Promise<void> {
  return readEvents(body, parts, {
    event({ type, data }) {
      if (type === 'message') deliver(data, parts);
      else parts.events.ignored(1);
    },
    id(id) {
      resumption.lastEventId = id === '' || noHeaderValue.test(id) ? undefined : id;
    },
    retry(milliseconds) {
      resumption.retry = milliseconds;
    },
    ignored: parts.events.ignored,
    pace: parts.events.pace,
  });
}

/**
 * Reads a body that is one JSON text, or several lines with one each, as some servers stream notifications before the
 * response. Each line is delivered when it has arrived. White space before one is no part of it.
 */
export async function readJson(body: TargetBody, parts: Incoming): Promise<void> {
  const buffer = new MessageBuffer(parts, () => void body.cancel().catch(() => {}));
  let delivered = false;
  try {
    for await (const chunk of body) {
      await buffer.ready();
      if (buffer.isEmpty && isBlank(chunk)) {
        parts.events.ignored(1 + Math.floor(chunk.length / bytesPerLine));
        continue;
      }
      buffer.append(chunk);
      if (!buffer.endsWithLine) continue;
      deliverLines(buffer.take(), parts);
      delivered = true;
      await parts.events.pace();
    }
    await buffer.ready();
    const rest = buffer.take();
    if (!delivered || rest.text.trim() !== '') deliverLines(rest, parts);
    await parts.events.pace();
  } catch (error) {
    buffer.assertKept();
    throw error;
  } finally {
    buffer.clear();
  }
}

/** What proxies send so that a connection is not idle while a tool works counts as little as a comment of a stream. */
function isBlank(chunk: Uint8Array): boolean {
  return chunk.every((byte) => whiteSpace.includes(byte));
}

/** Of JSON (RFC 8259, section 2). */
const whiteSpace: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** Delivers each line of a small text if all are objects; a large text is one message, as is one on several lines. */
function deliverLines(taken: TakenMessage, parts: Incoming): void {
  const { text, size } = taken;
  const lines = size.bytes > uncountedBytes ? [text] : text.split('\n').filter((line) => line.trim() !== '');
  const areObjects = lines.length > 1 && lines.every((line) => line.startsWith('{') && line.trimEnd().endsWith('}'));
  for (const one of areObjects ? lines : [text]) deliver({ ...taken, text: one }, parts);
}

/** Parses and delivers the messages of a text. A batch is as large as its messages together, and counts for each. */
export function deliver(taken: TakenMessage, { events, parse = parseMessages }: Incoming): void {
  const { size } = taken;
  // The priming event of a stream that can be resumed has no data (MCP 2025-11-25, Transports, 6).
  const { messages, refused }: ParsedMessages = taken.text === '' ? { messages: [] } : parse(taken);
  if (messages.length === 0) events.invalid(size, refused);
  for (const message of messages) events.received(message, size);
}
