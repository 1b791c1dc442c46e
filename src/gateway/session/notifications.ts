import type { AccessRequest } from '../../authz/model.ts';
import type { Stop } from '../../edges.ts';
import type { Caller } from '../model.ts';
import type { Params } from '../rpc/model.ts';
import type { Authorization } from './authorization.ts';
import type { Client, ClientRequest } from './model.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Forwards notifications of targets to the client, each on the stream of the request that it is about. */
export interface Notifications {
  /** Registers an authorized request as in flight at a target, until the returned function is called. */
  track(target: string, use: AccessRequest, request: ClientRequest): Stop;
  /** Handles a notification of a target. Drops unknown ones. */
  receive(target: string, method: string, params: Params | undefined): void;
}

/** The notifications that a list of names has changed. */
export const listChangedMethods = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** Starts without requests in flight. */
export function createNotifications(
  authorization: Authorization,
  subscriptions: Subscriptions,
  client: Client,
): Notifications {
  const inFlight = new Map<string, Set<ClientRequest>>();
  const lastAllowed = new Map<string, { readonly use: AccessRequest; readonly caller: Caller }>();

  /** Finds the request by its progress token. */
  const progress = (target: string, params: Params | undefined): void => {
    const token = params?.['progressToken'];
    if (token === undefined) return;
    const requests = [...(inFlight.get(target) ?? [])];
    const request = requests.find((candidate) => candidate.params?._meta?.progressToken === token);
    if (request !== undefined) client.notify('notifications/progress', params, request.id);
  };

  /**
   * Lists connect to every target, so only a caller who may still use something at the target gets its log messages.
   */
  const logMessage = (target: string, params: Params | undefined): void => {
    const allowed = lastAllowed.get(target);
    if (allowed === undefined || !authorization.allows(allowed.use, allowed.caller)) return;
    // With one request in flight the message is about it: its stream also reaches clients without a GET stream.
    const [only, ...others] = inFlight.get(target) ?? [];
    client.notify('notifications/message', params, others.length === 0 ? only?.id : undefined);
  };

  return {
    track(target, use, request) {
      const requests = inFlight.get(target) ?? new Set();
      inFlight.set(target, requests);
      requests.add(request);
      lastAllowed.set(target, { use, caller: request.caller });
      return () => {
        requests.delete(request);
        if (requests.size === 0) inFlight.delete(target);
      };
    },
    receive(target, method, params) {
      if (method === 'notifications/progress') progress(target, params);
      else if (method === 'notifications/message') logMessage(target, params);
      else if (method === 'notifications/resources/updated') subscriptions.updated(target, params);
      else if (listChangedMethods.some((known) => known === method)) client.notify(method, params);
    },
  };
}
