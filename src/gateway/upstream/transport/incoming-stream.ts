import type { TargetBody } from '../../model.ts';
import type { TransportParts } from '../model.ts';
import { readEvents } from './event-reader.ts';
import { type ParsedMessages, parseMessages } from './message.ts';
import { MessageBuffer, type MessageLimits, type TakenMessage } from './message-buffer.ts';

/** Where to resume a stream of events, and when. */
export interface Resumption {
  /** The id of the last event; undefined when the stream cannot be resumed. */
  lastEventId: string | undefined;
  /** The delay that the target asked for, in milliseconds. */
  retry: number | undefined;
}

/** The limits of what arrives, and where it is reported. */
export type Incoming = MessageLimits & Pick<TransportParts, 'events'>;

/** Reads the messages of an event stream until its end. */
export function readMessages(body: TargetBody, parts: Incoming, resumption: Resumption): Promise<void> {
  return readEvents(body, parts, {
    event({ type, data }) {
      if (type === 'message') deliver(data, parts);
      else parts.events.ignored(1);
    },
    id(id) {
      resumption.lastEventId = id === '' ? undefined : id;
    },
    retry(milliseconds) {
      resumption.retry = milliseconds;
    },
    ignored: parts.events.ignored,
    pace: parts.events.pace,
  });
}

/** Reads a body that is one JSON text. */
export async function readJson(body: TargetBody, parts: Incoming): Promise<void> {
  const buffer = new MessageBuffer(parts);
  try {
    for await (const chunk of body) {
      await buffer.ready();
      buffer.append(chunk);
    }
    await buffer.ready();
    deliver(buffer.take(), parts);
  } finally {
    buffer.clear();
  }
}

/** Parses and delivers the messages of a text. A batch is as large as its messages together, and counts for each. */
export function deliver(taken: TakenMessage, { events }: Incoming): void {
  const { size } = taken;
  // The priming event of a stream that can be resumed has no data (MCP 2025-11-25, Transports, 6).
  const { messages, refused }: ParsedMessages = taken.text === '' ? { messages: [] } : parseMessages(taken);
  if (messages.length === 0) events.invalid(size, refused);
  for (const message of messages) events.received(message, size);
}
