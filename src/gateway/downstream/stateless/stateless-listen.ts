import type { Stop } from '../../../edges.ts';
import { asJsonObject, isJsonObject } from '../../../json/json.ts';
import { eventPieces } from '../../../net/sse.ts';
import type { FairTurns } from '../../../rate/fair-turns.ts';
import { callerKey, whenExpired } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { Message } from '../../rpc/model.ts';
import { statelessVersion, subscribeTask, subscriptionIdKey } from '../../rpc/protocol.ts';
import { changed, encodePieces } from '../../rpc/source-text.ts';
import { declaresTasks, missingTasksError, withTasksDeclared } from '../../rpc/task-states.ts';
import type { Sender, Session } from '../../session/model.ts';
import { type ErrorResponse, sendError } from '../error-response.ts';
import { openEventStream } from '../event-stream.ts';
import type { Exchange, HttpTransportParts } from '../model.ts';
import type { StatelessRequest } from './stateless-request.ts';

/** What a client may ask for, with the notification and the list whose request connects to the targets. */
const lists = {
  toolsListChanged: { method: 'notifications/tools/list_changed', list: 'tools/list' },
  promptsListChanged: { method: 'notifications/prompts/list_changed', list: 'prompts/list' },
  resourcesListChanged: { method: 'notifications/resources/list_changed', list: 'resources/list' },
} as const;

const listNames = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const;

/** What is subscribed to one by one, with the request and its parameter. */
const subscribed = {
  resourceSubscriptions: { method: 'resources/subscribe', parameter: 'uri' },
  taskIds: { method: subscribeTask, parameter: 'taskId' },
} as const;

const subscribedNames = ['resourceSubscriptions', 'taskIds'] as const;

/** Resources of one request, as many as a session may subscribe to; and its tasks. */
const maxSubscribed = 1_000;

/** What is delivered of what was asked for. */
interface Honoured {
  readonly lists: readonly (keyof typeof lists)[];
  readonly subscribed: Readonly<Record<keyof typeof subscribed, ReadonlySet<string>>>;
}

type Notification = Extract<Message, { readonly method: string }>;

/** Dependencies of subscriptions. */
interface ListenParts extends Pick<HttpTransportParts, 'multiplexer' | 'streams' | 'clock'> {
  /** By caller, for subscribing to some resources: each takes 50 µs, also one that the caller may not read. */
  readonly turns: FairTurns;
  /** Has a function for each open stream, which ends it. */
  readonly open: Set<Stop>;
}

/**
 * Serves `subscriptions/listen`: an event stream that begins with what will be delivered, until the client closes it,
 * its token expires, or the gateway stops; then it ends with an empty result, which tells the client that nothing is
 * broken. It has a session of its own, which ends with it.
 *
 * @param done called once, when the body is not needed any more
 */
export function listen(parts: ListenParts, exchange: Exchange, request: StatelessRequest, done: () => void): void {
  const missing = missingFor(request);
  if (missing === undefined) {
    open(parts, exchange, request, done);
    return;
  }
  done();
  sendError(exchange.response, missing);
}

function open(
  { multiplexer, streams, clock, turns, open: streamsOpen }: ListenParts,
  exchange: Exchange,
  request: StatelessRequest,
  done: () => void,
): void {
  const { response, caller } = exchange;
  let honoured: Honoured = nothing;
  /** Nothing may come before the acknowledgement. */
  let isAcknowledged = false;
  // A request in a session that has ended is not answered.
  const ended = Promise.withResolvers<undefined>();
  const closed = (): void => {
    stopTimer();
    streamsOpen.delete(end);
    ended.resolve(undefined);
    void session.close();
  };
  const stream = openEventStream({ streams, response, clock, caller, lifetime: 'answers', closed });
  const write = (message: Message): void =>
    stream.write(eventPieces('message', encodePieces(tagged(message, request))));
  const end = (): void => {
    if (isAcknowledged) write(endOf(request));
    stream.end();
  };
  streamsOpen.add(end);
  const stopTimer = whenExpired(caller, clock, end);
  const own = {
    reader: caller,
    send(message: Message) {
      if ('method' in message && isWanted(message, honoured)) write(message);
    },
  };
  const session = multiplexer.open({
    stream: () => own,
    client: {
      version: statelessVersion,
      capabilities: declaresTasks(request.capabilities) ? withTasksDeclared({}) : {},
      key: callerKey(caller),
    },
  });
  const subscribing = subscribe(session, caller, request, () => {
    return response.destroyed ? Promise.resolve(false) : turns.next(callerKey(caller)).then(() => true);
  });
  void Promise.race([ended.promise, subscribing]).then((found) => {
    done();
    if (found === undefined) return;
    const notifications = {
      ...Object.fromEntries(found.lists.map((name) => [name, true])),
      ...Object.fromEntries(
        subscribedNames.flatMap((name) => {
          const those = [...found.subscribed[name]];
          return those.length === 0 ? [] : [[name, those] as const];
        }),
      ),
    };
    write({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications } });
    isAcknowledged = true;
    honoured = found;
    // Connects to the targets, so that they can tell of changes.
    for (const name of found.lists) void ask(session, caller, lists[name].list, {});
  });
}

const nothing: Honoured = { lists: [], subscribed: { resourceSubscriptions: new Set(), taskIds: new Set() } };

/** Subscriptions at the same time: targets of MCP 2026-07-28 get those in one request. */
const maxTogether = 32;

/**
 * Subscribes to the resources that the caller may read, and to its tasks.
 *
 * @param turn resolves in the turn to subscribe to some more; false: nobody listens any more
 */
async function subscribe(
  session: Session,
  caller: Caller,
  { params }: StatelessRequest,
  turn: () => Promise<boolean>,
): Promise<Honoured> {
  const wanted = asJsonObject(params['notifications']);
  const subscribeTo = async (name: keyof typeof subscribed): Promise<ReadonlySet<string>> => {
    const { method, parameter } = subscribed[name];
    const listed: unknown = wanted[name];
    const all: readonly unknown[] = Array.isArray(listed) ? listed : [];
    const texts = [...new Set(all.slice(0, maxSubscribed).filter((one) => typeof one === 'string'))];
    const found = new Set<string>();
    for (let from = 0; from < texts.length && (await turn()); from += maxTogether) {
      const some = texts.slice(from, from + maxTogether);
      const answers = await Promise.all(some.map((one) => ask(session, caller, method, { [parameter]: one })));
      for (const [index, one] of some.entries()) if ('result' in (answers[index] ?? {})) found.add(one);
    }
    return found;
  };
  return {
    lists: listNames.filter((name) => wanted[name] === true),
    subscribed: {
      resourceSubscriptions: await subscribeTo('resourceSubscriptions'),
      taskIds: await subscribeTo('taskIds'),
    },
  };
}

const asking = new WeakMap<Session, number>();

/** Sends a request of the gateway itself in a session, on behalf of a caller. */
function ask(session: Session, caller: Caller, method: string, params: StatelessRequest['params']): Promise<Message> {
  const id = (asking.get(session) ?? 0) + 1;
  asking.set(session, id);
  return new Promise((resolve) => {
    const settled = (): void => resolve({ jsonrpc: '2.0', id, error: { code: 0, message: 'not answered' } });
    const sender: Sender = { caller, reader: caller, send: resolve, settled };
    session.receive({ jsonrpc: '2.0', id, method, params }, sender);
  });
}

function isWanted({ method, params }: Notification, { lists: wanted, subscribed: some }: Honoured): boolean {
  if (method === 'notifications/resources/updated') return some.resourceSubscriptions.size > 0;
  if (method === 'notifications/tasks') return some.taskIds.has(String(params?.['taskId']));
  return wanted.some((name) => lists[name].method === method);
}

/** The response to the request (MCP 2026-07-28, SubscriptionsListenResult). */
function endOf({ id }: StatelessRequest): Message {
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', _meta: { [subscriptionIdKey]: id } } };
}

/** The error for a client that wants to be told of tasks, and has not said that it knows them. */
function missingFor({ id, params, capabilities }: StatelessRequest): ErrorResponse | undefined {
  const wanted = asJsonObject(params['notifications'])['taskIds'];
  if (!Array.isArray(wanted) || wanted.length === 0 || declaresTasks(capabilities)) return undefined;
  const { code, message, received } = missingTasksError();
  return { status: 400, code, message, data: received?.data, id };
}

/** Adds the id of the request, which tells the client what the message is about. */
function tagged(message: Message, { id }: StatelessRequest): Message {
  if (!('method' in message)) return message;
  const params = message.params ?? {};
  if (isJsonObject(params._meta)) {
    return { ...message, params: changed(params, [{ path: ['_meta', subscriptionIdKey], value: id }]) };
  }
  return { ...message, params: changed(params, [{ path: ['_meta'], value: { [subscriptionIdKey]: id } }]) };
}
