import type { AccessRequest } from '../../../authz/model.ts';
import type { Clock } from '../../../edges.ts';
import { isJsonObject } from '../../../json/json.ts';
import { shortened } from '../../../json/quoted.ts';
import { DeadlineExceededError } from '../../../net/deadline.ts';
import type { LogThrottle } from '../../../rate/log-throttle.ts';
import { callerKey } from '../../callers.ts';
import { TargetConnectionsError } from '../../errors.ts';
import type { GatewayCounters } from '../../model.ts';
import type { Params, Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed } from '../../rpc/source-text.ts';
import { type AnswerBudget, AnswerBudgetError, AnswerLimitError, largeResult } from '../../upstream/answer-limits.ts';
import { answerSizeOf } from '../../upstream/answer-size.ts';
import { FloodError } from '../../upstream/flood-guard.ts';
import { CircuitOpenError, connectReasonOf } from '../../upstream/health/target-circuit.ts';
import { statusOf, type TargetFailures } from '../../upstream/health/target-failures.ts';
import type { Capabilities, UpstreamSession } from '../../upstream/model.ts';
import { type Authorization, allowedAll, unknownNameError } from '../decisions/authorization.ts';
import type { Handshake } from '../handshake.ts';
import type { Lists } from '../lists/lists.ts';
import type { ClientRequest } from '../model.ts';
import { exposeElicitations, exposeInput } from '../names/elicitation-ids.ts';
import type { NamedKind } from '../names/name-index.ts';
import type { Names } from '../names/names.ts';
import { type QualifiedName, qualify } from '../names/qualified-names.ts';
import { isUiUri } from '../names/resource-uris.ts';
import { rewriteContents, rewritePrompt, rewriteToolResult } from '../names/result-uris.ts';
import { maxSubscriptions, type Subscriptions } from '../subscriptions.ts';
import { beginTask } from '../tasks/task-creation.ts';
import type { TaskTable } from '../tasks/task-table.ts';
import { sendUnawaited, type UpstreamSessions, type UpstreamState } from '../upstream-sessions.ts';
import { createHeaderCheck } from './header-check.ts';
import type { Passthrough } from './passthrough.ts';
import type { RequestsInFlight, TrackedRequest, Uses } from './requests-in-flight.ts';
import type { TargetTurnstile } from './target-turnstile.ts';

/** Dependencies of the request router. */
export interface RouterParts {
  readonly authorization: Authorization;
  readonly upstreams: UpstreamSessions;
  readonly lists: Lists;
  readonly requests: Pick<RequestsInFlight, 'track'>;
  readonly subscriptions: Subscriptions;
  readonly failures: TargetFailures;
  /** Of limits that end something for a client. */
  readonly limits: LogThrottle;
  readonly names: Names;
  readonly upstreamState: UpstreamState;
  readonly turnstile: TargetTurnstile;
  readonly counters: GatewayCounters;
  readonly clock: Clock;
  readonly sharedListing: { readonly budget: Pick<AnswerBudget, 'turns'> };
  readonly tasks: TaskTable;
  readonly handshake: Pick<Handshake, 'taskForm'>;
}

type Handler = (request: ClientRequest) => Promise<Result>;

/** The destination of a request: a tool, prompt or resource of a target. */
interface Destination extends QualifiedName {
  readonly upstream: UpstreamSession;
  readonly use: AccessRequest;
  /** The name or URI as the client spelled it. */
  readonly requestedName: string;
}

/**
 * Creates the handlers, by method, of the requests that go to one target. Authorizes each request before forwarding it,
 * but for the end of a subscription.
 */
export function createRequestRouter(parts: RouterParts): Readonly<Record<string, Handler>> {
  const checkHeaders = createHeaderCheck(parts);
  return {
    async 'tools/call'(request) {
      const tool = await findNamed(parts, 'tool', request, stringIn(request.params, 'name'));
      await checkHeaders(tool, request);
      using creation = beginTask(parts, tool, request, parts.handshake.taskForm());
      const result = await forward(parts, tool, request, (capabilities, about) => {
        const name = { path: ['name'], value: tool.name };
        return changed(request.params ?? {}, [...creation.changes(capabilities, about), name]);
      });
      return creation.created(result) ?? rewriteToolResult(result, parts.names.rewriterOf(tool.target));
    },
    async 'prompts/get'(request) {
      const prompt = await findNamed(parts, 'prompt', request, stringIn(request.params, 'name'));
      const result = await forward(parts, prompt, request, () => renamed(request, ['name'], prompt));
      return rewritePrompt(result, parts.names.rewriterOf(prompt.target));
    },
    async 'resources/read'(request) {
      const requestedUri = stringIn(request.params, 'uri');
      const resource = await findResource(parts, request, requestedUri);
      const result = await forward(parts, resource, request, () => renamed(request, ['uri'], resource));
      const rewrite = parts.names.rewriterOf(resource.target);
      return rewriteContents(result, (uri) => (uri === resource.name ? requestedUri : rewrite(uri)));
    },
    'resources/subscribe': (request) => subscribe(parts, request),
    'resources/unsubscribe': (request) => endSubscription(parts, request),
    async 'completion/complete'(request) {
      const ref = request.params?.['ref'];
      if (!isJsonObject(ref)) throw invalidParams('ref');
      if (ref['type'] === 'ref/prompt') {
        const prompt = await findNamed(parts, 'prompt', request, stringIn(ref, 'name'));
        return forward(parts, prompt, request, () => renamed(request, ['ref', 'name'], prompt));
      }
      if (ref['type'] !== 'ref/resource') throw invalidParams('ref.type');
      const resource = await findResource(parts, request, stringIn(ref, 'uri'));
      return forward(parts, resource, request, () => renamed(request, ['ref', 'uri'], resource));
    },
  };
}

async function subscribe(parts: RouterParts, request: ClientRequest): Promise<Result> {
  const requestedUri = stringIn(request.params, 'uri');
  const resource = await findResource(parts, request, requestedUri);
  const { target, name } = resource;
  const result = await forward(parts, resource, request, () => renamed(request, ['uri'], resource));
  try {
    const removed = parts.subscriptions.add({ target, name, requestedUri }, request.caller);
    if (removed !== undefined) {
      const message = 'a resource subscription was ended to make room for a newer one of the same session';
      parts.limits.failed('subscriptions', { reason: `more than ${maxSubscriptions} in a session`, message });
      unsubscribe(parts, removed, request.signal);
    }
  } catch (error) {
    unsubscribe(parts, resource, request.signal);
    throw error;
  }
  return result;
}

/** Is not authorized: the caller may have lost the permission since it subscribed. */
async function endSubscription(parts: RouterParts, request: ClientRequest): Promise<Result> {
  const { subscriptions, names, upstreams } = parts;
  const requestedUri = stringIn(request.params, 'uri');
  // The owner of a `ui://` URI may be another one now.
  const resource = isUiUri(requestedUri) ? subscriptions.withName(requestedUri) : names.parseUri(requestedUri);
  const upstream = resource === undefined ? undefined : upstreams.get(resource.target);
  if (resource === undefined || upstream === undefined || !subscriptions.remove(resource)) return {};
  const use: AccessRequest = { kind: 'resource', name: qualify(resource) };
  const params = renamed(request, ['uri'], resource);
  return relay(parts, { target: upstream.target, uses: [use] }, request, ({ forwarded, exchange }) => {
    return upstream.request(request.method, forwarded(params), request.signal, exchange);
  });
}

/**
 * Forwards an authorized request. Decides once more when the target is connected, which may take seconds: the rules may
 * have changed, and the token expired.
 *
 * @param paramsFor makes the parameters when the capabilities of the target are known
 */
export async function forward(
  parts: RouterParts,
  destination: Destination,
  request: ClientRequest,
  paramsFor: (capabilities: Capabilities, about: number) => Params,
): Promise<Result> {
  const { use, requestedName, upstream } = destination;
  request.decides(allowedAll(parts.authorization, [use]));
  return relay(parts, { ...destination, uses: [use] }, request, async ({ forwarded, exchange }) => {
    const capabilities = await upstream.capabilities(request.signal);
    if (!parts.authorization.allows(use, request.caller)) {
      parts.authorization.authorize(use, request.caller, requestedName);
    }
    const params = paramsFor(capabilities, exchange.about);
    return upstream.request(request.method, forwarded(params), request.signal, exchange);
  });
}

/**
 * Passes a request of an unknown method on as it is, to the only target.
 *
 * @throws RpcError when there is no such target, or the caller may not use everything of it
 */
export async function passThrough(
  parts: RouterParts & { readonly passthrough: Passthrough },
  request: ClientRequest,
): Promise<Result> {
  const { passthrough, upstreams } = parts;
  const target = passthrough.authorize(request.method, request.caller);
  const upstream = target === undefined ? undefined : upstreams.get(target);
  if (target === undefined || upstream === undefined) throw methodNotFound();
  request.decides(passthrough.allows);
  const uses = (['tool', 'prompt', 'resource'] as const).map((kind) => ({ kind, name: '*' }));
  return relay(parts, { target, uses, countedAs: 'other' }, request, async ({ forwarded, exchange }) => {
    await upstream.capabilities(request.signal);
    if (passthrough.targetOf(request.method, request.caller) !== target) throw methodNotFound();
    return upstream.request(request.method, forwarded(request.params ?? {}), request.signal, exchange);
  });
}

function methodNotFound(): RpcError {
  return new RpcError(errorCode.methodNotFound, 'Method not found');
}

/** Where a request goes, and what it uses. */
interface Relayed {
  readonly target: string;
  readonly uses: Uses;
  /** In metrics and states; the method by default. Clients choose the names of unknown methods. */
  readonly countedAs?: string;
}

/** Relays a request. Passes the target's error response on; any other error is logged, and hidden. */
async function relay(
  { requests, failures, sharedListing, turnstile, counters, clock }: RouterParts,
  { target, uses, countedAs }: Relayed,
  request: ClientRequest,
  send: (tracked: TrackedRequest) => Promise<Result>,
): Promise<Result> {
  const { signal } = request;
  const method = countedAs ?? request.method;
  const leave = turnstile.enter(target);
  const tracked = requests.track(target, uses, request);
  const startedAt = clock.monotonic();
  try {
    const result = await send(tracked);
    failures.succeeded(target, method);
    if (answerSizeOf(result).bytes > largeResult) await sharedListing.budget.turns.next(callerKey(request.caller));
    return result['inputRequests'] === undefined ? result : exposeInput(target, result);
  } catch (error) {
    if (error instanceof RpcError) {
      if (error.received !== undefined) failures.refused(target);
      throw exposeElicitations(target, error);
    }
    if (error instanceof CircuitOpenError) {
      failures.skipped(target, method, error.cause);
      throw notReachable(error);
    }
    if (!signal.aborted) failures.failed(target, method, error);
    const why = isLimit(error) ? error.message : (connectReasonOf(error) ?? refusalReasonOf(error, failures));
    const message = `Target ${target} does not answer${why === undefined ? '' : `: ${why}`}`;
    throw new RpcError(errorCode.unavailable, message);
  } finally {
    tracked.stop();
    leave();
    counters.targetRequestTook(Math.max(0, clock.monotonic() - startedAt) / 1_000, method);
  }
}

/** Says in words for a client that its own headers may be the reason. */
function refusalReasonOf(error: unknown, failures: Pick<TargetFailures, 'isRefusal'>): string | undefined {
  const status = failures.isRefusal(error) ? statusOf(error) : undefined;
  return status === undefined ? undefined : `it refuses the request, or its headers, with status ${status}`;
}

/** Returns whether an error is that of a limit of the gateway, whose text names it and has nothing of the target. */
function isLimit(error: unknown): error is Error {
  const limits = [DeadlineExceededError, AnswerLimitError, AnswerBudgetError, FloodError, TargetConnectionsError];
  return limits.some((limit) => error instanceof limit);
}

function notReachable({ message }: CircuitOpenError): RpcError {
  return new RpcError(errorCode.unavailable, message);
}

/**
 * Unsubscribes at a target, on behalf of the gateway. Best effort: after a failure its notifications are dropped here.
 * Nobody waits for it, so that a target that does not answer gets a bounded number of them.
 */
function unsubscribe(
  { upstreams, upstreamState }: RouterParts,
  { target, name }: QualifiedName,
  signal: AbortSignal,
): void {
  const upstream = upstreams.opened(target);
  if (upstream === undefined) return;
  sendUnawaited(upstreamState, { target, upstream }, ['resources/unsubscribe', { uri: name }], signal);
}

/** Finds the target of a tool or prompt and authorizes its use. */
async function findNamed(
  parts: RouterParts,
  kind: NamedKind,
  request: ClientRequest,
  requestedName: string,
): Promise<Destination> {
  const found = await nameOf(parts, kind, request, requestedName);
  const use: AccessRequest = { kind, name: found === undefined ? requestedName : qualify(found) };
  parts.authorization.authorize(use, request.caller, requestedName, found !== undefined);
  const upstream = found === undefined ? undefined : parts.upstreams.get(found.target);
  if (found === undefined || upstream === undefined) throw unknownNameError(kind, requestedName);
  return { ...found, target: upstream.target, upstream, use, requestedName };
}

/**
 * A name that does not say its target is that of what the caller may use under it.
 *
 * @throws RpcError when several targets have such a thing
 */
async function nameOf(
  { names, lists }: RouterParts,
  kind: NamedKind,
  request: ClientRequest,
  requestedName: string,
): Promise<QualifiedName | undefined> {
  const parsed = names.parseName(requestedName);
  if (parsed.kind === 'name') return parsed.name;
  const [found, ...others] = await lists.find(kind, requestedName, request);
  if (found === undefined || others.length === 0) return found ?? parsed.otherwise;
  const alternatives = [found, ...others].slice(0, maxAlternatives).map((name) => shortened(names.distinct(name)));
  const message = `Ambiguous ${kind}: ${shortened(requestedName)}; use ${alternatives.join(' or ')}`;
  throw new RpcError(errorCode.invalidParams, message);
}

/** Names that an error tells. */
const maxAlternatives = 4;

/** Finds the target of a resource or template by its exposed URI and authorizes its use. */
async function findResource(parts: RouterParts, request: ClientRequest, requestedUri: string): Promise<Destination> {
  const found = await parseUri(parts, request, requestedUri);
  // Without a target there is no name that a rule could allow.
  if (found === undefined) throw unknownNameError('resource', requestedUri);
  const use: AccessRequest = { kind: 'resource', name: qualify(found) };
  parts.authorization.authorize(use, request.caller, requestedUri);
  const upstream = parts.upstreams.get(found.target);
  if (upstream === undefined) throw unknownNameError('resource', requestedUri);
  return { ...found, target: upstream.target, upstream, use, requestedName: requestedUri };
}

/**
 * A `ui://` URI does not contain its target. The owner is looked up for a caller who may read that page of one target
 * at least: nobody else makes the gateway ask its targets.
 */
async function parseUri(
  { lists, upstreams, authorization, names }: RouterParts,
  request: ClientRequest,
  name: string,
): Promise<QualifiedName | undefined> {
  if (!isUiUri(name)) return names.parseUri(name);
  const mayRead = (target: string): boolean =>
    authorization.allows({ kind: 'resource', name: qualify({ target, name }) }, request.caller);
  if (!upstreams.targetNames().some(mayRead)) return undefined;
  const target = await lists.ownerOf(name, request);
  return target === undefined ? undefined : { target, name };
}

/** Returns the parameters of a request with the name or URI that its target uses. */
function renamed({ params = {} }: ClientRequest, path: readonly string[], { name }: QualifiedName): Params {
  return changed(params, [{ path, value: name }]);
}

function stringIn(params: Readonly<Record<string, unknown>> | undefined, member: string): string {
  const value = params?.[member];
  if (typeof value !== 'string') throw invalidParams(member);
  return value;
}

function invalidParams(member: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Invalid params: ${member}`);
}
