import type { Clock } from '../../../edges.ts';
import type { EventStream, EventStreams } from '../../../net/event-streams.ts';
import { eventPieces } from '../../../net/sse.ts';
import type { Message, Params, Result } from '../../rpc/model.ts';
import { inputRequired, severityOf } from '../../rpc/protocol.ts';
import { asLaterError, errorCode } from '../../rpc/rpc-error.ts';
import { changed, encodePieces } from '../../rpc/source-text.ts';
import { type Freshness, forCaller, freshnessIn, notKept } from '../../session/freshness.ts';
import { openEventStream } from '../event-stream.ts';
import type { Exchange } from '../model.ts';
import type { StatelessRequest } from './stateless-request.ts';

/**
 * The response to one POST of MCP 2026-07-28: a JSON text, or an event stream once something is said before it ends.
 */
export interface StatelessReply {
  readonly exchange: Exchange;
  readonly request: StatelessRequest;
  /** Sends a notification, but for log messages that the request did not ask for, and what other requests ask for. */
  notify(message: Message): void;
  /** Ends the reply with the response to the request, whose id is replaced by that of the client. */
  answer(message: Message): void;
}

/** Dependencies of replies. */
export interface ReplyParts {
  readonly clock: Clock;
  readonly streams: EventStreams;
}

/** Results that a client may keep for a time. */
const cacheable: readonly string[] = [
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
];

/** Notifications that go elsewhere, or that this revision does not have. */
const unwanted: readonly string[] = ['notifications/resources/updated', 'notifications/elicitation/complete'];

/** Characters of a response that is a JSON text. */
const maxJson = 64 * 1024;

/** Milliseconds without response after which an event stream begins, whose comments keep the connection open. */
const quietTime = 1_000;

/**
 * Starts without having sent anything.
 *
 * @param left called once, when the response is closed: before its end, the client cancels the request by that
 */
export function createReply(
  { clock, streams }: ReplyParts,
  exchange: Exchange,
  request: StatelessRequest,
  left: () => void,
): StatelessReply {
  const { response, caller } = exchange;
  let stream: EventStream | undefined;
  let isOver = false;
  const tokenTime = (): number =>
    caller.kind === 'principal' ? Math.max(0, caller.expiresAt - clock.now()) : Number.MAX_SAFE_INTEGER;

  const open = (): EventStream => {
    stopTimer();
    stream ??= openEventStream({ streams, response, clock, caller, lifetime: 'answers', closed: () => {} });
    return stream;
  };
  const stopTimer = clock.after(quietTime, () => void open());
  response.once('close', () => {
    stopTimer();
    isOver = true;
    left();
  });

  return {
    exchange,
    request,
    notify(message) {
      if (!isOver && isWanted(message, request)) open().write(eventPieces('message', encodePieces(message)));
    },
    answer(message) {
      if (isOver) return;
      isOver = true;
      stopTimer();
      const pieces = encodePieces(forClient(message, request, tokenTime()));
      const [text = ''] = pieces;
      // What a client does not read is limited for event streams only.
      if (stream === undefined && (pieces.length > 1 || text.length > maxJson)) open();
      if (stream === undefined) {
        response.writeHead(statusOf(message), { 'content-type': 'application/json' }).end(text);
      } else {
        stream.write(eventPieces('message', pieces));
        stream.end();
      }
    },
  };
}

function isWanted(message: Message, { logLevel }: StatelessRequest): boolean {
  if (!('method' in message)) return false;
  if (message.method === 'notifications/message') {
    const [least, own] = [severityOf(logLevel), severityOf(message.params?.['level'])];
    return least !== undefined && own !== undefined && own >= least;
  }
  // Those of a subscription are on its own stream.
  return !message.method.endsWith('/list_changed') && !unwanted.includes(message.method);
}

/** Adds what results of this revision have, and those of earlier ones do not. */
function forClient(message: Message, { id, method, params }: StatelessRequest, tokenTime: number): Message {
  if ('error' in message) return { ...message, id, error: asLaterError(message.error) };
  if (!('result' in message)) return { ...message, id };
  const { resultType } = message.result;
  const changes = [
    ...(resultType === undefined ? [{ path: ['resultType'], value: 'complete' }] : []),
    ...(cacheable.includes(method) && resultType !== inputRequired
      ? Object.entries(freshnessOf(message.result, method, params, tokenTime)).map(([name, value]) => ({
          path: [name],
          value,
        }))
      : []),
  ];
  const result: Result = changed(message.result, changes);
  return { ...message, id, result };
}

/**
 * Lists say themselves how long they may be kept; what is read was decided for one caller. Nothing is kept for longer
 * than the token is valid, nor what was made with the input of the client (MCP 2026-07-28, Caching, Cache Key).
 */
function freshnessOf(result: Result, method: string, params: Params, tokenTime: number): Freshness {
  if (method === 'server/discover' || params['requestState'] !== undefined) return notKept;
  const said = freshnessIn(result);
  const { ttlMs, cacheScope } = method === 'resources/read' ? forCaller(said) : said;
  return { ttlMs: Math.min(ttlMs, tokenTime), cacheScope };
}

/** The statuses of errors that a client tells from others by them (MCP 2026-07-28, Streamable HTTP). */
const statuses: ReadonlyMap<number, number> = new Map([
  [errorCode.methodNotFound, 404],
  [errorCode.headerMismatch, 400],
  [errorCode.missingClientCapability, 400],
]);

function statusOf(message: Message): number {
  return ('error' in message ? statuses.get(message.error.code) : undefined) ?? 200;
}
