import type { AccessRequest } from '../../authz/model.ts';
import type { Stop } from '../../edges.ts';
import type { Params } from '../rpc/model.ts';
import { changed } from '../rpc/source-text.ts';
import type { Authorization } from './authorization.ts';
import type { Client, ClientRequest } from './model.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Forwards notifications of targets to the client, each on the stream of the request that it is about. */
export interface Notifications {
  /** Registers an authorized request as in flight at a target, until it is stopped. */
  track(target: string, use: AccessRequest, request: ClientRequest): TrackedRequest;
  /** Handles a notification of a target. Drops unknown ones. */
  receive(target: string, method: string, params: Params | undefined): void;
}

/** A request in flight at a target. */
export interface TrackedRequest {
  /** Replaces the client's progress token in the parameters by one that no other request of the session has. */
  forwarded(params: Params): Params;
  readonly stop: Stop;
}

/** The notifications that a list of names has changed. */
export const listChangedMethods = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** What a request in flight may use, and who has sent it. */
interface InFlight {
  readonly use: AccessRequest;
  readonly request: ClientRequest;
}

/** Starts without requests in flight. Keeps no decision: each notification is decided when it arrives. */
export function createNotifications(
  authorization: Authorization,
  subscriptions: Subscriptions,
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
    const progressToken = found?.request.params?._meta?.progressToken;
    if (params === undefined || found === undefined || progressToken === undefined) return;
    const { use, request } = found;
    const renamed = changed(params, [{ path: ['progressToken'], value: progressToken }]);
    const notification = { method: 'notifications/progress', params: renamed };
    client.notify(notification, (caller) => authorization.allows(use, caller), request.sender);
  };

  /** With one request in flight the message is about it: its stream also reaches clients without a GET stream. */
  const logMessage = (target: string, params: Params | undefined): void => {
    if (!used.has(target)) return;
    const notification = { method: 'notifications/message', params };
    const [only, ...others] = inFlight.get(target)?.values() ?? [];
    if (only === undefined || others.length > 0) {
      client.notify(notification, (caller) => authorization.allowsAnythingOf(target, caller));
    } else {
      client.notify(notification, (caller) => authorization.allows(only.use, caller), only.request.sender);
    }
  };

  return {
    track(target, use, request) {
      const requests = inFlight.get(target) ?? new Map<number, InFlight>();
      inFlight.set(target, requests);
      used.add(target);
      lastToken += 1;
      const token = lastToken;
      requests.set(token, { use, request });
      return {
        forwarded(params) {
          if (params._meta?.progressToken === undefined) return params;
          return changed(params, [{ path: ['_meta', 'progressToken'], value: token }]);
        },
        stop() {
          requests.delete(token);
          if (requests.size === 0 && inFlight.get(target) === requests) inFlight.delete(target);
        },
      };
    },
    receive(target, method, params) {
      if (method === 'notifications/progress') progress(target, params);
      else if (method === 'notifications/message') logMessage(target, params);
      else if (method === 'notifications/resources/updated') subscriptions.updated(target, params);
      else if (listChangedMethods.some((known) => known === method)) {
        client.notify({ method, params }, (caller) => authorization.allowsAnythingOf(target, caller));
      }
    },
  };
}
