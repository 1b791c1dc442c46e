import type { Params } from '../rpc/model.ts';
import { changed } from '../rpc/source-text.ts';
import type { TargetHealth } from '../upstream/health/target-health.ts';
import { type Authorization, allowedAll, allowedAnythingOf } from './decisions/authorization.ts';
import { listKinds } from './lists/list-collector.ts';
import { type ListMethod, listMethods } from './lists/list-pages.ts';
import type { SharedListing } from './lists/shared-listing.ts';
import type { Client, MayReceive } from './model.ts';
import { elicitationChanges } from './names/elicitation-ids.ts';
import type { RequestsInFlight } from './routing/requests-in-flight.ts';
import type { Subscriptions } from './subscriptions.ts';
import { isTaskStatus, type TaskNotifications } from './tasks/task-notifications.ts';

/** Forwards notifications of targets to the client, each on the stream of the request that it is about. */
export interface Notifications {
  /**
   * Handles a notification of a target. One of an unknown method is passed on as a log message is.
   *
   * @param about the number, at the target, of the request on whose stream it has arrived
   */
  receive(target: string, method: string, params: Params | undefined, about: number | undefined): void;
}

/** The notifications that a list of names has changed. */
export const listChangedMethods = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** What only clients tell. From a target, a client would take it for its own. */
const ofClients: readonly string[] = ['notifications/initialized', 'notifications/roots/list_changed'];

/** What notifications go by. */
interface NotificationParts {
  readonly authorization: Authorization;
  readonly requests: RequestsInFlight;
  readonly subscriptions: Subscriptions;
  readonly ofTasks: TaskNotifications;
  readonly sharedListing: Pick<SharedListing, 'changed'>;
  readonly health: Pick<TargetHealth<ListMethod>, 'hasten'>;
}

/** Targets whose decision is kept, so that notifications that are told together have one for each target. */
const maxDecisions = 64;

/** Each notification is decided when it arrives. */
export function createNotifications(parts: NotificationParts, client: Client): Notifications {
  const { authorization, requests, subscriptions, ofTasks } = parts;
  const decisions = new Map<string, MayReceive>();
  const allowedAnything = (target: string): MayReceive => {
    const found = decisions.get(target);
    if (found !== undefined) return found;
    if (decisions.size >= maxDecisions) decisions.clear();
    const decision = allowedAnythingOf(authorization, target);
    decisions.set(target, decision);
    return decision;
  };

  const progress = (target: string, params: Params | undefined): void => {
    const found = requests.withProgress(target, params?.['progressToken']);
    if (found === undefined) ofTasks.progress(target, params);
    const progressToken = found?.request.params?._meta?.progressToken;
    if (params === undefined || found === undefined || progressToken === undefined) return;
    const { uses, request } = found;
    const change = { path: ['progressToken'], value: progressToken };
    const renamed = changed(params, [change, ...ofTasks.relation(target, params)]);
    const notification = { method: 'notifications/progress', params: renamed };
    client.notify(notification, allowedAll(authorization, uses), request.sender);
  };

  const passOn = (target: string, said: Parameters<Client['notify']>[0], about: number | undefined): void => {
    if (!requests.hasUsed(target)) return;
    const params = said.params && changed(said.params, ofTasks.relation(target, said.params));
    const notification = { ...said, params };
    const found = requests.find(target, about);
    const ofUses =
      found === undefined ? allowedAnythingOf(authorization, target) : allowedAll(authorization, found.uses);
    client.notify(notification, ofTasks.receivers(target, said.params) ?? ofUses, found?.request.sender);
  };

  return {
    receive(target, method, params, about) {
      if (method === 'notifications/progress') progress(target, params);
      else if (ofClients.includes(method)) return;
      else if (isTaskStatus(method)) ofTasks.status(target, method, params);
      else if (method === 'notifications/resources/updated') subscriptions.updated(target, params);
      else if (listChangedMethods.some((known) => known === method)) {
        listChanged(parts, target, method);
        client.notify({ method, params }, allowedAnything(target));
      } else if (method === 'notifications/elicitation/complete') {
        passOn(target, { method, params: params && withElicitationId(target, params) }, about);
      } else passOn(target, { method, params }, about);
    },
  };
}

/** What stood in for a list that has changed does so no more, and the list is read at once. */
function listChanged({ sharedListing, health }: NotificationParts, target: string, notification: string): void {
  const methods = listMethods.filter((method) => listKinds[method].changed === notification);
  const stoodIn = methods.filter((method) => sharedListing.changed(target, method));
  if (stoodIn.length > 0) health.hasten(target);
}

function withElicitationId(target: string, params: Params): Params {
  return changed(params, elicitationChanges(target, params['elicitationId'], ['elicitationId']));
}
