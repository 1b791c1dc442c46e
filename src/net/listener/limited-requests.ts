import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';
import type { KeptRequests } from './kept-requests.ts';
import { type MalformedRequest, type Refusals, refuseMalformed } from './malformed-requests.ts';
import { limitChunks, stopParsing } from './request-pieces.ts';

/** Requests of one connection that may wait while another is being answered. No client of MCP pipelines at all. */
const maxPipelined = 8;

/** The same of all connections: each holds its head, and up to 64 KiB of its body, for as long as the answer before it. */
const maxPipelinedOfAll = 256;

/** What limits of requests tell the limit of connections. */
export type Requests = Pick<ConnectionLimiter, 'began' | 'answered'>;

/** Settings and dependencies of the requests of a listener. */
export interface LimitedRequestsParts {
  /** The name of the listener, for the log. */
  readonly listener: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limiter: Requests;
  readonly kept: KeptRequests;
  /** Counts a connection that is closed for what it sends. */
  readonly lost?: ((reason: keyof typeof floods) => void) | undefined;
  /** Counts a request that is not as HTTP/1.1 has it. */
  readonly malformed?: ((reason: MalformedRequest) => void) | undefined;
}

/** The requests of one connection: one is being answered, the others wait. */
interface Pipeline {
  readonly address: string;
  /** The response to the request that is being answered, or waits for its turn. */
  answering: ServerResponse | undefined;
  /** Whether a request was answered before. */
  isKept: boolean;
  readonly waiting: (() => void)[];
}

/** Answers a request when those before it on its connection were answered. */
type Receive = (request: IncomingMessage, response: ServerResponse, answerWith: RequestListener) => void;

/** Why a connection is closed at once for what it sends, for the log. */
const floods = {
  pipelined: {
    reason: `more than ${maxPipelined} requests wait, or ${maxPipelinedOfAll} of all connections`,
    message: 'connections are closed because they send requests without waiting for the answers',
  },
  chunks: {
    reason: 'bodies in chunks of a few bytes',
    message: 'connections are closed because they send the bodies of requests in chunks of a few bytes',
  },
};

/**
 * Receives every request that Node reports, under whichever event: one with a way of its own would have no limit. For
 * `Expect: 100-continue` Node writes the answer by itself, when it is the turn of the response, and reports a `request`.
 */
function receiveRequests(server: Server, handle: RequestListener, receive: Receive, refusals: Refusals): void {
  const receiveWith = (answerWith: RequestListener) => (request: IncomingMessage, response: ServerResponse) =>
    receive(request, response, refusals.lacksHost(request) ? refusals.refuseHost : answerWith);
  server.on('request', receiveWith(handle));
  server.on('checkExpectation', receiveWith(refusals.refuseExpectation));
}

/**
 * Handles the requests of all connections, those of one connection one after another: a response that waits behind
 * another one has no connection yet, and would not report that its client has gone.
 */
export function limitRequests(
  server: Server,
  handle: RequestListener,
  { listener, clock, log, limiter, kept, lost, malformed }: LimitedRequestsParts,
): { drained(): Promise<void> } {
  const pipelines = new WeakMap<Duplex, Pipeline>();
  const waiting = new Quota(maxPipelinedOfAll);
  const throttle = new LogThrottle(clock, log);
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  let open = 0;
  let draining = false;
  const pipelineOf = (socket: Socket): Pipeline => {
    const known = pipelines.get(socket);
    if (known !== undefined) return known;
    const address = socket.remoteAddress ?? '';
    const pipeline: Pipeline = { address, answering: undefined, isKept: false, waiting: [] };
    pipelines.set(socket, pipeline);
    socket.once('close', () => waiting.release(address, pipeline.waiting.splice(0).length));
    return pipeline;
  };
  const proceed = (pipeline: Pipeline, socket: Socket): void => {
    // Nothing is answered after a response that closes the connection.
    const next = socket.writable ? pipeline.waiting.shift() : undefined;
    if (next !== undefined) waiting.release(pipeline.address);
    pipeline.answering = undefined;
    limiter.answered(socket);
    next?.();
  };
  const closeFor = (reason: keyof typeof floods, socket: Socket): void => {
    lost?.(reason);
    throttle.failed(reason, { ...floods[reason], fields: { listener, address: socket.remoteAddress } });
    socket.destroy();
    stopParsing(socket);
  };

  const receive: Receive = (request, response, answerWith) => {
    const { socket } = request;
    if (!socket.writable) {
      stopParsing(socket);
      return;
    }
    const pipeline = pipelineOf(socket);
    const answer = (): void => {
      pipeline.answering = response;
      open += 1;
      let forget = (): void => {};
      response.once('close', () => {
        forget();
        open -= 1;
        if (draining && open === 0) resolve();
        proceed(pipeline, socket);
      });
      const inTurn = (): void => {
        // Not before: a connection whose request waits is as idle as one without, and makes room for a new one.
        limiter.began(socket, () => !request.complete);
        answerWith(request, response);
      };
      if (pipeline.isKept) forget = kept.add(pipeline.address, inTurn);
      else inTurn();
      pipeline.isKept = true;
    };
    limitChunks(request, response, () => closeFor('chunks', socket));
    if (pipeline.answering === undefined) answer();
    else if (pipeline.waiting.length < maxPipelined && waiting.acquire(pipeline.address)) pipeline.waiting.push(answer);
    else closeFor('pipelined', socket);
  };
  const responseOn = (socket: Duplex): ServerResponse | undefined => pipelines.get(socket)?.answering;
  receiveRequests(server, handle, receive, refuseMalformed(server, { listener, clock, log, malformed, responseOn }));
  return {
    drained() {
      draining = true;
      if (open === 0) resolve();
      return drained;
    },
  };
}
