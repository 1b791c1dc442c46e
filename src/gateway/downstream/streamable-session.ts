import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import type { Sender, Session } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { isRequest } from './decode-post.ts';
import { createEventLog, type EventLogBudget, type EventSink, type LoggedStream } from './event-log.ts';
import { type EventStreamParts, openEventStream } from './event-stream.ts';
import type { Exchange, HttpTransport, HttpTransportParts } from './model.ts';

/** A session over Streamable HTTP. */
export interface StreamableSession extends Session {
  readonly id: string;
  /**
   * Handles the messages of one POST, none of which is a request with an id that is in flight. What they cause is sent
   * in the response to this POST.
   *
   * @param done called once, when all of them are handled
   */
  post(exchange: Exchange, messages: readonly Message[], done: () => void): void;
  /**
   * Makes the response to a GET the stream of the session, in place of an earlier one, or continues the stream with this
   * event. Returns false when there is no such event.
   */
  listen(exchange: Exchange, lastEventId: string | undefined): boolean;
  /** Ends the stream of the session; see {@link HttpTransport.drain}. */
  drain(retry: number): void;
}

/** What a session of Streamable HTTP is made of. */
interface SessionSettings {
  readonly id: string;
  /** Whose share of the event log it uses. */
  readonly caller: Caller;
  readonly budget: EventLogBudget;
}

/** How a stream continues in a response. */
interface Attachment extends Pick<EventStreamParts, 'lifetime' | 'begin' | 'wait'> {
  /** The number of the event to continue after. */
  readonly after?: number;
}

/** Milliseconds in which most targets respond, so that headers and response take one write. */
const responseTime = 10;

/** Opens a session without streams. */
export function createStreamableSession(
  multiplexer: Multiplexer,
  { clock, streams }: Pick<HttpTransportParts, 'clock' | 'streams'>,
  { id, caller: owner, budget }: SessionSettings,
): StreamableSession {
  const log = createEventLog(budget, id.slice(0, eventPrefixLength), callerKey(owner));

  /** Continues a stream in a response. */
  const attach = (
    stream: LoggedStream,
    { response, caller }: Exchange,
    { lifetime, after, ...beginning }: Attachment,
  ): void => {
    const headers = { 'mcp-session-id': id };
    const closed = (): void => stream.detach(sink);
    const events = openEventStream({ streams, response, headers, clock, caller, lifetime, closed, ...beginning });
    const sink: EventSink = { reader: caller, write: (text) => events.write(text), end: () => events.end() };
    stream.attach(sink, after);
  };

  const session = multiplexer.open({ stream: () => log.own });
  /** Clients of older revisions take an event without data for a message. */
  const mayPrime = (): boolean => session.protocolVersion() === '2025-11-25';
  return {
    ...session,
    id,
    post(exchange, messages, done) {
      let unsettled = messages.filter(isRequest).length;
      const { caller, response, passedHeaders } = exchange;
      if (unsettled === 0) response.writeHead(202).end();
      const stream = unsettled === 0 ? undefined : log.open();
      if (stream !== undefined && !response.destroyed) {
        const begin = mayPrime() ? stream.primer : undefined;
        attach(stream, exchange, { lifetime: 'answers', begin, wait: responseTime });
      }
      const sender: Sender = {
        caller,
        passedHeaders,
        // Until somebody resumes a stream whose client is gone, its own claims decide what is kept.
        get reader() {
          return stream?.reader ?? caller;
        },
        send: (...sent) => stream?.send(...sent),
        pause() {
          if (mayPrime()) stream?.pause();
        },
        settled() {
          unsettled -= 1;
          if (unsettled > 0) return;
          stream?.end();
          done();
        },
      };
      if (unsettled === 0) done();
      for (const message of messages) session.receive(message, sender);
    },
    listen(exchange, lastEventId) {
      const found = lastEventId === undefined ? undefined : log.find(lastEventId);
      if (lastEventId !== undefined && found === undefined) return false;
      // A client that reconnects may arrive before the end of its old stream is noticed: that one is ended.
      attach(found?.stream ?? log.own, exchange, { lifetime: 'token', ...(found && { after: found.after }) });
      return true;
    },
    drain: (retry) => log.own.pause(retry),
    async close() {
      log.close();
      await session.close();
    },
  };
}

/** Characters of the session id, 16 random bits each four, that begin the ids of its events. */
const eventPrefixLength = 8;
