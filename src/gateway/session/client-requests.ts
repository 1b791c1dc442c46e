import { asJsonObject, isJsonObject, type JsonObject, objectIn } from '../../json/json.ts';
import type { JsonChange } from '../../json/json-text.ts';
import { within } from '../../net/deadline.ts';
import { Quota } from '../../rate/quota.ts';
import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { IncomingRequest, Params, RequestId, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { relatedTaskId } from '../rpc/task-states.ts';
import { asksForUnknownMode, canBeAsked } from '../upstream/input-required.ts';
import type { Capabilities } from '../upstream/model.ts';
import { type Authorization, weighed } from './decisions/authorization.ts';
import type { Client, MayReceive, SessionParts } from './model.ts';
import { elicitationChanges } from './names/elicitation-ids.ts';
import type { RequestsInFlight, Uses } from './routing/requests-in-flight.ts';
import { exposedRelation, withUpstreamTask } from './tasks/task-ids.ts';
import type { Task, TaskTable } from './tasks/task-table.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** The requests of targets to the client of a session, and what the client tells targets about them. */
export interface ClientRequests {
  /**
   * Sends a request of a target to the client, if its capabilities name it and it may use something of the target: what
   * the request in flight is about, when that is known, else what all in flight there are about. The answer goes back
   * to that target.
   *
   * @param about see `UpstreamParts.request`
   */
  handle(target: string, request: IncomingRequest, about: number | undefined): Promise<Result>;
  /** Handles a notification of the client: passes on the progress of such a request, and that roots have changed. */
  notified(method: string, params: Params | undefined, caller: Caller): void;
}

/** The members of each capability that say more of it (MCP 2025-11-25, ClientCapabilities). */
const known: Readonly<Record<string, readonly string[]>> = {
  roots: ['listChanged'],
  sampling: ['context', 'tools'],
  elicitation: ['form', 'url'],
};

/**
 * The extension of MCP Apps: which pages the client shows. Servers offer none to a client that does not say so. It is
 * passed on as it adds no method and no kind of result; beside it only that of tasks is, from MCP 2026-07-28 on.
 */
const appsExtension = 'io.modelcontextprotocol/ui';

/** Media types in it, and characters of one. */
const maxTypes = 8;
const maxTypeLength = 128;

/** Requests of targets that wait for clients, in all sessions. Each takes about 2 KiB and what the target keeps. */
const maxWaiting = 4_096;

/** Half of them for one caller, whose sessions may be those of a fleet. */
const callerShare = 1 / 2;

/** However many callers let them wait, something is left for another one. */
const shareOfRest = 1;

const tooManyWait = `At most ${maxWaiting} requests wait for clients, and half of them for one caller: try again later`;

/** Creates the budget that all sessions share. */
export function createClientRequestBudget(): Quota {
  return new Quota(maxWaiting, callerShare, shareOfRest);
}

/**
 * Decodes the capabilities of a client that targets are told of. They are kept as long as the session, so without
 * anything else that the client has sent.
 */
export function decodeClientCapabilities(value: unknown): Capabilities {
  const declared = asJsonObject(value);
  const decoded = Object.entries(known).flatMap(([name, details]) => {
    const own = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (!isJsonObject(own)) return [];
    const kept = details.filter((detail) => own[detail] === true || isJsonObject(own[detail]));
    return [[name, Object.fromEntries(kept.map((detail) => [detail, own[detail] === true || {}]))] as const];
  });
  return Object.fromEntries([...decoded, ...decodeApps(declared)]);
}

function decodeApps(declared: JsonObject): readonly (readonly [string, JsonObject])[] {
  const extensions = objectIn(declared, 'extensions');
  const apps = Object.hasOwn(extensions, appsExtension) ? extensions[appsExtension] : undefined;
  if (!isJsonObject(apps)) return [];
  const { mimeTypes } = apps;
  if (!Array.isArray(mimeTypes)) return [['extensions', { [appsExtension]: {} }]];
  const kept = mimeTypes.filter((type) => typeof type === 'string' && type.length <= maxTypeLength).slice(0, maxTypes);
  return [['extensions', { [appsExtension]: { mimeTypes: kept } }]];
}

/** Dependencies of the requests of targets in one session. */
export interface ClientRequestParts extends Pick<SessionParts, 'clock' | 'callTimeout'> {
  readonly client: Client;
  readonly authorization: Authorization;
  readonly requests: Pick<RequestsInFlight, 'find' | 'usesAt'>;
  readonly upstreams: Pick<UpstreamSessions, 'opened' | 'openedTargets'>;
  readonly clientRequestBudget: Quota;
  readonly tasks: TaskTable;
  readonly handshake: { clientCapabilities(): Capabilities };
  /** The sender of the last request, whose share of the budget is used. */
  readonly lastCaller: () => Caller | undefined;
}

/** Milliseconds that a client has for an answer by default: a person may have to be asked. */
const defaultTimeout = 600_000;

/** Starts without requests. */
export function createClientRequests(parts: ClientRequestParts): ClientRequests {
  const { authorization, requests, upstreams, client, handshake, tasks, clientRequestBudget: budget } = parts;
  /** The progress tokens of targets, by those that the client knows. */
  const tokens = new Map<number, { readonly target: string; readonly token: RequestId }>();
  let lastToken = 0;

  const send = async (target: string, request: IncomingRequest, about: number | undefined): Promise<Result> => {
    const found = requests.find(target, about);
    if (found === undefined && about !== undefined) throw new RpcError(errorCode.unavailable, 'The request is over');
    const task = tasks.at(target, relatedTaskId(request.params));
    const uses = task === undefined ? (found?.uses ?? requests.usesAt(target)) : [task.tool.use];
    const mayReceive = receiversOf(parts, target, task, uses);
    const token = request.params?._meta?.progressToken;
    lastToken += 1;
    const own = lastToken;
    if (token !== undefined) tokens.set(own, { target, token });
    const params =
      request.params &&
      changed(request.params, [
        ...changesFor(target, request.params, own),
        ...exposedRelation(tasks, target, request.params),
      ]);
    const limit = { clock: parts.clock, milliseconds: parts.callTimeout ?? defaultTimeout, signal: request.signal };
    try {
      const answer = await within(limit, (signal) =>
        client.request({ method: request.method, params, signal }, mayReceive, found?.request.sender),
      );
      return withUpstreamTask(answer, task);
    } catch (error) {
      // The client's own error response, with every member; what happens at the gateway is of no use to a target.
      if (error instanceof RpcError) throw error;
      throw new RpcError(errorCode.unavailable, 'The client does not answer');
    } finally {
      tokens.delete(own);
    }
  };

  const progress = (params: Params | undefined, caller: Caller): void => {
    const token = params?.['progressToken'];
    const found = typeof token === 'number' ? tokens.get(token) : undefined;
    if (params === undefined || found === undefined || !authorization.allowsAnythingOf(found.target, caller)) return;
    const renamed = changed(params, [{ path: ['progressToken'], value: found.token }]);
    upstreams.opened(found.target)?.notify('notifications/progress', renamed);
  };

  return {
    async handle(target, request, about) {
      const capabilities = handshake.clientCapabilities();
      if (!canBeAsked(request.method, capabilities)) throw new RpcError(errorCode.methodNotFound, 'Method not found');
      // As the client would answer (MCP 2025-11-25, Elicitation, Error Handling).
      if (asksForUnknownMode(request.params, capabilities)) {
        throw new RpcError(errorCode.invalidParams, 'The client has not declared elicitation.url');
      }
      const caller = parts.lastCaller();
      const key = caller === undefined ? undefined : callerKey(caller);
      if (key === undefined || !budget.acquire(key)) {
        throw new RpcError(errorCode.unavailable, tooManyWait);
      }
      return send(target, request, about).finally(() => budget.release(key));
    },
    notified(method, params, caller) {
      if (method === 'notifications/progress') progress(params, caller);
      if (method !== 'notifications/roots/list_changed' || !Object.hasOwn(handshake.clientCapabilities(), 'roots'))
        return;
      for (const target of upstreams.openedTargets()) {
        if (authorization.allowsAnythingOf(target, caller)) upstreams.opened(target)?.notify(method, undefined);
      }
    },
  };
}

/**
 * Returns who may have a request of a target. An event log keeps the decision for as long as the request, so that it
 * holds nothing else: a closure within the handling of the request would hold the response that it is sent on.
 */
function receiversOf(
  { authorization, tasks }: Pick<ClientRequestParts, 'authorization' | 'tasks'>,
  target: string,
  task: Task | undefined,
  uses: Uses,
): MayReceive {
  const decision = (caller: Caller): boolean =>
    (task === undefined || tasks.isOf(task, caller)) &&
    authorization.allowsAnythingOf(target, caller) &&
    uses.every((use) => authorization.allows(use, caller));
  return weighed(decision, uses);
}

/**
 * The changes of a request for the client: its progress token is one of this session, and the id of an elicitation by
 * URL names its target, so that those of two targets differ. A client that was offered no tasks gets none.
 */
function changesFor(target: string, params: JsonObject & Params, progressToken: number): readonly JsonChange[] {
  const elicitationId = params['elicitationId'];
  return [
    { path: ['task'] },
    ...(params._meta?.progressToken === undefined ? [] : [{ path: ['_meta', 'progressToken'], value: progressToken }]),
    ...elicitationChanges(target, elicitationId, ['elicitationId']),
  ];
}
