import type { AccessRequest } from '../../authz/model.ts';
import type { Stop } from '../../edges.ts';
import type { Params } from '../rpc/model.ts';
import { changed } from '../rpc/source-text.ts';
import type { Exchange } from '../upstream/model.ts';
import { type Authorization, allowedAll, allowedAnythingOf } from './authorization.ts';
import type { Client, ClientRequest } from './model.ts';
import { elicitationChanges } from './names/elicitation-ids.ts';
import type { Subscriptions } from './subscriptions.ts';
import { isTaskStatus, type TaskNotifications } from './tasks/task-notifications.ts';

/** Forwards notifications of targets to the client, each on the stream of the request that it is about. */
export interface Notifications {
  /**
   * Registers an authorized request as in flight at a target, until it is stopped.
   *
   * @param uses who gets what is said about it may do all of these
   */
  track(target: string, uses: Uses, request: ClientRequest): TrackedRequest;
  /**
   * Handles a notification of a target. One of an unknown method is passed on as a log message is.
   *
   * @param about {@link TrackedRequest.about} of the request on whose stream it has arrived
   */
  receive(target: string, method: string, params: Params | undefined, about: number | undefined): void;
  /**
   * Finds the request that a message of a target is about: that on whose stream it has arrived, else the only one in
   * flight there. Over HTTP+SSE nothing else says which, and its stream also reaches clients without a GET stream.
   */
  find(target: string, about: number | undefined): InFlight | undefined;
  /** What the requests in flight at a target use: a message that may be about any of them is for who may use all. */
  usesAt(target: string): Uses;
}

/** What a request uses: one thing, or for a method that is not known, everything of each kind. */
export type Uses = readonly AccessRequest[];

/** A request in flight at a target. */
export interface TrackedRequest {
  /** Replaces the client's progress token in the parameters by one that no other request of the session has. */
  forwarded(params: Params): Params;
  /** What the target is told nothing of; see `Exchange`. */
  readonly exchange: Exchange & { readonly about: number };
  readonly stop: Stop;
}

/** The notifications that a list of names has changed. */
export const listChangedMethods = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** What only clients tell. From a target, a client would take it for its own. */
const ofClients: readonly string[] = ['notifications/initialized', 'notifications/roots/list_changed'];

/** What a request in flight may use, and who has sent it. */
interface InFlight {
  readonly uses: Uses;
  readonly request: ClientRequest;
}

/** Starts without requests in flight. Keeps no decision: each notification is decided when it arrives. */
export function createNotifications(
  authorization: Authorization,
  { subscriptions, ofTasks }: { readonly subscriptions: Subscriptions; readonly ofTasks: TaskNotifications },
  client: Client,
): Notifications {
  /** By target, and by the progress token that the target knows. */
  const inFlight = new Map<string, Map<number, InFlight>>();
  /** The targets of which the client has used something: lists connect to all of them, and their logs are not about it. */
  const used = new Set<string>();
  let lastToken = 0;

  const progress = (target: string, params: Params | undefined): void => {
    const token = params?.['progressToken'];
    const found = typeof token === 'number' ? inFlight.get(target)?.get(token) : undefined;
    if (found === undefined) ofTasks.progress(target, params);
    const progressToken = found?.request.params?._meta?.progressToken;
    if (params === undefined || found === undefined || progressToken === undefined) return;
    const { uses, request } = found;
    const change = { path: ['progressToken'], value: progressToken };
    const renamed = changed(params, [change, ...ofTasks.relation(target, params)]);
    const notification = { method: 'notifications/progress', params: renamed };
    client.notify(notification, allowedAll(authorization, uses), request.sender);
  };

  const find: Notifications['find'] = (target, about) => {
    const requests = inFlight.get(target);
    if (about !== undefined) return requests?.get(about);
    const [only, ...others] = requests?.values() ?? [];
    return others.length > 0 ? undefined : only;
  };

  const passOn = (target: string, said: Parameters<Client['notify']>[0], about: number | undefined): void => {
    if (!used.has(target)) return;
    const params = said.params && changed(said.params, ofTasks.relation(target, said.params));
    const notification = { ...said, params };
    const found = find(target, about);
    const ofUses =
      found === undefined ? allowedAnythingOf(authorization, target) : allowedAll(authorization, found.uses);
    client.notify(notification, ofTasks.receivers(target, said.params) ?? ofUses, found?.request.sender);
  };

  return {
    find,
    usesAt: (target) => [...(inFlight.get(target)?.values() ?? [])].flatMap(({ uses }) => uses),
    track(target, uses, request) {
      const requests = inFlight.get(target) ?? new Map<number, InFlight>();
      inFlight.set(target, requests);
      used.add(target);
      lastToken += 1;
      const token = lastToken;
      requests.set(token, { uses, request });
      return {
        forwarded(params) {
          if (params._meta?.progressToken === undefined) return params;
          return changed(params, [{ path: ['_meta', 'progressToken'], value: token }]);
        },
        exchange: { about: token, paused: () => request.sender.pause?.(), headers: request.sender.passedHeaders },
        stop() {
          requests.delete(token);
          if (requests.size === 0 && inFlight.get(target) === requests) inFlight.delete(target);
        },
      };
    },
    receive(target, method, params, about) {
      if (method === 'notifications/progress') progress(target, params);
      else if (ofClients.includes(method)) return;
      else if (isTaskStatus(method)) ofTasks.status(target, method, params);
      else if (method === 'notifications/resources/updated') subscriptions.updated(target, params);
      else if (listChangedMethods.some((known) => known === method)) {
        client.notify({ method, params }, allowedAnythingOf(authorization, target));
      } else if (method === 'notifications/elicitation/complete') {
        passOn(target, { method, params: params && withElicitationId(target, params) }, about);
      } else passOn(target, { method, params }, about);
    },
  };
}

function withElicitationId(target: string, params: Params): Params {
  return changed(params, elicitationChanges(target, params['elicitationId'], ['elicitationId']));
}
