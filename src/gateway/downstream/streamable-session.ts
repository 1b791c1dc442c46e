import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import type { Sender, Session } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { isRequest } from './decode-post.ts';
import type { ErrorResponse } from './error-response.ts';
import { createEventLog, type EventLog, type EventLogBudget, type EventSink, type LoggedStream } from './event-log.ts';
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
   * Makes the response to a GET the stream of the session, in place of an earlier one, or continues the stream with
   * this event. Returns the error response when there is no such event, or nobody needs the stream before the gateway
   * stops.
   */
  listen(exchange: Exchange, lastEventId: string | undefined): ErrorResponse | undefined;
  /** Ends the stream of the session when all is answered; see {@link HttpTransport.drain}. */
  drain(retry: number): void;
  /** See {@link HttpTransport.read}. */
  read(): Promise<void>;
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
  { clock, streams, shutdownError }: Pick<HttpTransportParts, 'clock' | 'streams' | 'shutdownError'>,
  { id, caller: owner, budget }: SessionSettings,
): StreamableSession {
  const log = createEventLog(budget, id.slice(0, eventPrefixLength), callerKey(owner));
  const requests = createRequestsInFlight(log);

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
      requests.received(unsettled);
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
          if (unsettled === 0) stream?.end();
          requests.settled(unsettled === 0 ? stream : undefined);
          if (unsettled === 0) done();
        },
      };
      if (unsettled === 0) done();
      for (const message of messages) session.receive(message, sender);
    },
    listen(exchange, lastEventId) {
      const found = lastEventId === undefined ? undefined : log.find(lastEventId);
      if (lastEventId !== undefined && found === undefined) return unknownEvent;
      const stream = found?.stream ?? log.own;
      const refused = stream === log.own && !requests.areSome() ? shutdownError() : undefined;
      if (refused !== undefined) return refused;
      // A client that reconnects may arrive before the end of its old stream is noticed: that one is ended.
      attach(stream, exchange, { lifetime: 'token', ...(found && { after: found.after }) });
      return undefined;
    },
    drain: requests.drain,
    read: requests.read,
    async close() {
      log.close();
      await session.close();
    },
  };
}

/** The requests of a session that are in flight, for which its streams have to stay until the gateway stops. */
function createRequestsInFlight(log: EventLog) {
  let count = 0;
  /** See {@link StreamableSession.drain}. */
  let retry: number | undefined;
  /** The streams that have ended since then. */
  const ended = new Set<LoggedStream>();
  /** Until then, a target may ask the client on the stream of the session for what a request needs. */
  const endIfOver = (): void => {
    if (retry !== undefined && count === 0) log.own.pause(retry);
  };
  return {
    areSome: () => count > 0,
    received(requests: number): void {
      count += requests;
    },
    /** @param stream that of the request, when it has ended */
    settled(stream: LoggedStream | undefined): void {
      count -= 1;
      if (retry !== undefined && stream !== undefined) ended.add(stream);
      endIfOver();
    },
    drain(delay: number): void {
      retry = delay;
      endIfOver();
    },
    async read(): Promise<void> {
      await Promise.all([...ended].map((stream) => stream.read()));
    },
  };
}

/** SDKs give the request up then, instead of waiting for what cannot come. */
const unknownEvent: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: 'Last-Event-ID names no event of this session, or one that is not kept any more',
};

/** Characters of the session id, 16 random bits each four, that begin the ids of its events. */
const eventPrefixLength = 8;
