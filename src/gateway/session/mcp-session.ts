import type { Clock } from '../../edges.ts';
import { Deadline } from '../../net/deadline.ts';
import { reasonOf } from '../../net/errors.ts';
import { at } from '../../net/timers.ts';
import type { LogThrottle } from '../../rate/log-throttle.ts';
import type { Quota } from '../../rate/quota.ts';
import { isCurrent } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { Params, Result } from '../rpc/model.ts';
import { logLevels, perRequestLogLevelKey, severityOf, statelessVersion, subscribeTask } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { missingTasksError } from '../rpc/task-states.ts';
import type { TargetCircuit } from '../upstream/health/target-circuit.ts';
import type { TargetFailures } from '../upstream/health/target-failures.ts';
import type { TargetHealth } from '../upstream/health/target-health.ts';
import { connectionRequest, type TargetStates } from '../upstream/health/target-states.ts';
import type { UpstreamSession } from '../upstream/model.ts';
import { createChangeNotices, type GivenLists } from './change-notices.ts';
import { createClientRequests } from './client-requests.ts';
import { createAuthorization, tokenExpiredError } from './decisions/authorization.ts';
import type { DecisionLog } from './decisions/decision-log.ts';
import { createHandshake, type Handshake } from './handshake.ts';
import { createInstructions } from './instructions.ts';
import type { HeaderRules } from './lists/header-rules.ts';
import { coalesceListChanges } from './lists/list-changes.ts';
import { isListMethod, type ListMethod } from './lists/list-pages.ts';
import { createLists } from './lists/lists.ts';
import type { SharedListing } from './lists/shared-listing.ts';
import type { Client, ClientRequest, MayReceive, Sender, SessionParts, StatelessClient } from './model.ts';
import type { Names } from './names/names.ts';
import type { UiOwners } from './names/ui-owners.ts';
import { createNotifications, listChangedMethods } from './notifications.ts';
import { createPassthrough, type Passthrough } from './routing/passthrough.ts';
import { createRequestRouter, passThrough } from './routing/request-router.ts';
import { RequestsInFlight } from './routing/requests-in-flight.ts';
import type { TargetTurnstile } from './routing/target-turnstile.ts';
import type { FollowedChange } from './session-fan-out.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { createTaskNotifications, type TaskNotifications } from './tasks/task-notifications.ts';
import { createTaskRequests, type TaskRequestParts } from './tasks/task-requests.ts';
import type { TaskTables } from './tasks/task-tables.ts';
import {
  createUpstreamSessions,
  type UpstreamEvents,
  type UpstreamSessions,
  type UpstreamState,
} from './upstream-sessions.ts';

/** The MCP server of one client session: all targets behind one set of methods. */
export interface McpSession {
  /** Handles a request. Throws the {@link RpcError} of the error response. */
  handle(request: ClientRequest): Promise<Result>;
  /** Handles a notification of the client. */
  notified(method: string, params: Params | undefined, caller: Caller): void;
  /** The negotiated MCP revision; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Uses nothing any more of targets that were removed or changed; {@link configChanged} ends the connections. */
  dropTargets(targets: readonly string[]): void;
  /** Ends the connections with dropped targets, and notifies the client of lists that may have changed. */
  configChanged(change: FollowedChange): void;
  /** Tells the client of a list that it was given without this target, which answers now. */
  targetRecovered(target: string, method: ListMethod): void;
  /** Aborts the requests to targets and ends the sessions with them. */
  close(): Promise<void>;
}

type Handler = (request: ClientRequest) => Result | Promise<Result>;

/** State that all sessions share. */
export interface SharedState {
  readonly failures: TargetFailures;
  readonly states: TargetStates;
  readonly limits: LogThrottle;
  readonly decisions: DecisionLog;
  readonly health: TargetHealth<ListMethod>;
  readonly circuit: TargetCircuit;
  readonly sharedListing: SharedListing;
  readonly upstreamState: UpstreamState;
  readonly uiOwners: UiOwners;
  readonly headerRules: HeaderRules;
  readonly names: Names;
  readonly subscriptionBudget: Quota;
  readonly clientRequestBudget: Quota;
  readonly taskTables: TaskTables;
  readonly givenLists: GivenLists;
  readonly turnstile: TargetTurnstile;
}

/** Milliseconds after the end of a token for the responses to accepted requests: MCP SDKs wait as long by default. */
const answerTime = 60_000;

/** Creates a session. Connects to a target when a request first needs it. */
export function createMcpSession(
  parts: SessionParts,
  shared: SharedState,
  peer: Client,
  stateless?: StatelessClient,
): McpSession {
  const { failures, names, subscriptionBudget: budget } = shared;
  const ended = new AbortController();
  const handshake = createHandshake(stateless);
  /** Of the last request, on whose behalf connections are made. */
  let last: Pick<Sender, 'caller' | 'passedHeaders'> | undefined;

  const client = coalesceListChanges(afterHandshake(peer, handshake), parts.clock, ended.signal);
  const authorization = createAuthorization({ ...parts, decisions: shared.decisions });
  const subscriptions = createSubscriptions({ authorization, client, names, budget });
  const { table: tasks, ...openTasks } = shared.taskTables.open(stateless?.key);
  const ofTasks = createTaskNotifications({ tasks, authorization, client, names, handshake });
  const requests = new RequestsInFlight();
  const notifications = createNotifications({ ...shared, authorization, requests, subscriptions, ofTasks }, client);
  const events: UpstreamEvents = {
    notification: notifications.receive,
    request: (...request) => clientRequests.handle(...request),
    clientCapabilities: handshake.clientCapabilities,
    passedHeaders: () => last?.passedHeaders,
    input: stateless === undefined ? 'asked for' : 'passed on',
    connected(target, isReopened) {
      void restore(common, target, last?.caller, ended.signal).catch(() => {});
      // What has changed meanwhile was told to nobody.
      if (isReopened) notifyOfLists(client, (caller) => authorization.allowsAnythingOf(target, caller));
    },
    failed: (target, reason) => failures.failed(target, connectionRequest, reason),
  };
  const upstreams = createUpstreamSessions(parts, shared.upstreamState, events, ended.signal);
  const own = { client, authorization, requests, subscriptions, upstreams, tasks, ofTasks, handshake };
  const common = { ...parts, ...shared, ...own };
  const clientRequests = createClientRequests({ ...common, lastCaller: () => last?.caller });
  const passthrough = createPassthrough(common);
  const lists = createLists({ ...common, shared: shared.sharedListing });
  const instructions = createInstructions({ ...common, memories: shared.upstreamState.memories });
  const local = localHandlers({ ...common, instructions }, stateless);

  const handlerOf = createHandlers({ ...common, lists, passthrough }, local);
  const logs = createLogLevel(upstreams);
  const notices = createChangeNotices(common, stateless?.key);

  return {
    notified(...notification) {
      clientRequests.notified(...notification);
      passthrough.notified(...notification);
    },
    protocolVersion: handshake.version,
    async handle(request) {
      last = { caller: request.caller, passedHeaders: request.sender.passedHeaders };
      if (stateless !== undefined) logs.wanted(request.params);
      if (isListMethod(request.method)) notices.listedFor(request.caller);
      return untilTokenEnds(parts.clock, request, handlerOf(request.method));
    },
    dropTargets(targets) {
      upstreams.drop(targets);
      openTasks.drop(targets);
    },
    configChanged(change) {
      upstreams.closeDropped();
      notices.changed(change);
    },
    targetRecovered: lists.recovered,
    async close() {
      ended.abort(new Error('the session has ended'));
      subscriptions.close();
      notices.close();
      openTasks.leave();
      await upstreams.close();
    },
  };
}

/** Sends no notification before the handshake, as MCP requires. */
function afterHandshake(peer: Client, { version }: Handshake): Client {
  return {
    ...peer,
    notify(...notification) {
      if (version() !== undefined) peer.notify(...notification);
    },
  };
}

/**
 * Finds the handlers of all methods: lists, what is answered here, what goes to one target, and for a client that knows
 * tasks those about them. Any other method is passed on.
 *
 * @param local the handlers of what is answered here
 */
function createHandlers(
  parts: TaskRequestParts & { readonly passthrough: Passthrough; readonly handshake: Handshake },
  local: Readonly<Record<string, Handler>>,
): (method: string) => Handler {
  const { lists, handshake } = parts;
  const routed = createRequestRouter(parts);
  const ofTasks = createTaskRequests(parts);
  const ofTask = (method: string): Handler | undefined => {
    const form = handshake.taskForm();
    if (form !== undefined) return ownMember(ofTasks[form], method);
    const isMissing = handshake.version() === statelessVersion && Object.hasOwn(ofTasks.extension, method);
    return isMissing ? () => Promise.reject(missingTasksError()) : undefined;
  };
  return (method) => {
    if (isListMethod(method)) return (request) => lists.handle(method, request);
    const known = ownMember(local, method) ?? ownMember(routed, method);
    return known ?? ofTask(method) ?? ((request) => passThrough(parts, request));
  };
}

interface RestoreParts {
  readonly upstreams: UpstreamSessions;
  readonly subscriptions: Subscriptions;
  readonly ofTasks: TaskNotifications;
  readonly client: Client;
  readonly clock: Clock;
  readonly limits: LogThrottle;
}

/**
 * Repeats the client's log level and its subscriptions at a newly connected target: those to resources and tasks that
 * the caller of the last request may know now, or whoever reads the stream of the session when that token has expired.
 */
async function restore(
  { upstreams, subscriptions, ofTasks, client, clock, limits }: RestoreParts,
  target: string,
  last: Caller | undefined,
  signal: AbortSignal,
): Promise<void> {
  const caller = [last, client.reader()].find((one) => one !== undefined && isCurrent(one, clock));
  await upstreams.restoreLogLevel(target).catch(ignoreRefusal);
  const upstream = upstreams.opened(target);
  if (upstream === undefined) return;
  function* wanted(): Iterable<Subscribing> {
    for (const { name } of subscriptions.allowedAt(target, caller)) yield ['resources/subscribe', { uri: name }];
    for (const { upstreamId } of ofTasks.watchedAt(target, caller)) yield [subscribeTask, { taskId: upstreamId }];
  }
  const [reason, ...others] = await subscribeAll(upstream, wanted(), signal);
  if (reason === undefined || upstreams.opened(target) !== upstream) return;
  limits.failed('restore', {
    reason: reasonOf(reason),
    message: 'a target that was connected to again refuses subscriptions of before',
    fields: { target, requests: 1 + others.length },
  });
}

/** A request to be told of changes. */
type Subscribing = readonly [method: string, params: Params];

/** What a target refuses leaves the rest; any other failure is that of the connection, after which all is repeated. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof RpcError)) throw error;
}

function notifyOfLists(client: Client, mayReceive: MayReceive): void {
  for (const method of listChangedMethods) client.notify({ method }, mayReceive);
}

/** Subscriptions that are repeated at the same time: targets of MCP 2026-07-28 get those in one request. */
const maxTogether = 32;

/** Resolves with the refusals. */
async function subscribeAll(
  upstream: UpstreamSession,
  subscriptions: Iterable<Subscribing>,
  signal: AbortSignal,
): Promise<readonly RpcError[]> {
  const refusals: RpcError[] = [];
  const refused = (error: unknown): void => {
    if (!(error instanceof RpcError)) throw error;
    refusals.push(error);
  };
  let together: Promise<unknown>[] = [];
  for (const [method, params] of subscriptions) {
    together.push(upstream.request(method, params, signal).catch(refused));
    if (together.length < maxTogether) continue;
    await Promise.all(together);
    together = [];
  }
  await Promise.all(together);
  return refusals;
}

/**
 * Sets the level of targets of earlier revisions, which have one for the whole session, to the least that any request
 * of a client without handshake has asked for. Each response has no more than its own request asked for.
 */
function createLogLevel(upstreams: Pick<UpstreamSessions, 'setLogLevel'>) {
  let least = logLevels.length;
  return {
    wanted(params: Params | undefined): void {
      const severity = severityOf(params?._meta?.[perRequestLogLevelKey]);
      if (severity === undefined || severity >= least) return;
      least = severity;
      upstreams.setLogLevel({ level: logLevels[severity] });
    },
  };
}

interface LocalParts {
  readonly upstreams: UpstreamSessions;
  readonly handshake: Handshake;
  readonly instructions: ReturnType<typeof createInstructions>;
}

/** The handlers of requests that are answered without a target. */
function localHandlers(
  { upstreams, handshake, instructions }: LocalParts,
  stateless: StatelessClient | undefined,
): Readonly<Record<string, Handler>> {
  if (stateless !== undefined) return { 'server/discover': (request) => handshake.discover(request, instructions) };
  return {
    ping: () => ({}),
    initialize: (request) => handshake.initialize(request, instructions),
    'logging/setLevel'({ params }) {
      const level = logLevels.find((known) => known === params?.['level']);
      if (level === undefined)
        throw new RpcError(errorCode.invalidParams, `Invalid params: level, one of ${logLevels}`);
      // Kept for as long as the session, so without anything else that the client has sent.
      upstreams.setLogLevel({ level });
      return {};
    },
  };
}

/**
 * Runs the handler of an accepted request to its end, although the token of its caller may expire meanwhile: the target
 * may have acted on the request already. A time limit after that aborts the request, which then gets an error response.
 */
async function untilTokenEnds(clock: Clock, request: ClientRequest, handler: Handler): Promise<Result> {
  const { caller } = request;
  if (caller.kind === 'anonymous') return handler(request);
  const deadline = new Deadline(clock, request.signal);
  const stopTimer = at(clock, caller.expiresAt + answerTime, () => deadline.abort(tokenExpiredError()));
  try {
    return await handler({ ...request, signal: deadline.signal });
  } finally {
    stopTimer();
    deadline.release();
  }
}

/** Looks up a method without the prototype: the client sends the name, and `constructor` is no method. */
function ownMember<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
