import type { Delta, EncodedResource, View } from '../../snapshot/model.ts';
import type { Rejection, ResourceStatus } from '../model.ts';
import type { ClientState } from './client-state.ts';
import type { Subscription } from './subscription.ts';

/** An immutable copy of one type on one stream, from which the status of its resources is derived. */
export interface WatchedTypeState {
  readonly subscription: Subscription;
  readonly client: ClientState;
  /** Changes of `client.view` that are not sent yet. */
  readonly unsent: readonly Delta[];
  /** The View that the Gateway is served now. */
  readonly current: View;
  /** The changes in the response that is not answered yet. */
  readonly inFlight?: Delta;
  /** The View that the node ACKed last as a whole. */
  readonly acked?: View;
  /** The last NACK since then, and the changes in the response that it rejects. */
  readonly rejection?: Rejection;
  readonly rejectedDelta?: Delta;
  /** Time of the last response of the type, in milliseconds since the epoch. */
  readonly lastSent?: number;
}

/** Yields the status of the resources of several types. */
export function* resourceStatuses(types: readonly WatchedTypeState[]): Iterable<ResourceStatus> {
  for (const type of types) yield* statusesOf(type);
}

/**
 * Yields the status of every resource of the type that concerns the node: those that the subscription covers, those
 * that the node holds and has to remove, and subscribed names that do not exist. Takes time proportional to the result.
 */
function* statusesOf(type: WatchedTypeState): Iterable<ResourceStatus> {
  const { current, client, lastSent } = type;
  const { typeUrl } = current.type;
  const inFlight = new Set(namesIn(type.inFlight));
  const rejectedResources = new Map((type.rejectedDelta?.changed ?? []).map((resource) => [resource.name, resource]));
  const rejectedNames = new Set(namesIn(type.rejectedDelta));
  const unsent = new Set(type.unsent.flatMap((delta) => [...namesIn(delta)]));
  for (const [name, version] of client.pendingNames) if (version === undefined) unsent.add(name);

  const statusOf = (name: string, sent: EncodedResource | undefined): ResourceStatus['status'] => {
    if (inFlight.has(name)) return 'stale';
    if (unsent.has(name)) return 'not-sent';
    const notAcked = rejectedNames.has(name) || type.acked?.get(name)?.version !== sent?.version;
    if (type.rejection !== undefined && notAcked) return 'error';
    return sent === undefined || sent.version !== current.get(name)?.version ? 'not-sent' : 'synced';
  };
  const names = namesOf(type);
  for (const name of names) {
    const sent = unsent.has(name) ? undefined : client.view.get(name);
    const status = statusOf(name, sent);
    const rejected = type.rejection !== undefined && (status === 'error' || rejectedNames.has(name));
    const resource = rejectedResources.get(name) ?? (status === 'error' ? sent : undefined);
    yield {
      typeUrl,
      name,
      status,
      ...(sent && { sent }),
      ...(lastSent !== undefined && status !== 'not-sent' && { lastSent }),
      ...(rejected && {
        rejection: { ...(resource && { resource }), message: type.rejection.message, at: type.rejection.at },
      }),
    };
  }
  if (names.size === 0) yield* emptyTypeStatus(type);
}

/** Yields the status of the empty response of a type without resources, under the empty name, until it is ACKed. */
function* emptyTypeStatus(type: WatchedTypeState): Iterable<ResourceStatus> {
  const { current, subscription, client, inFlight, rejection, lastSent } = type;
  const { typeUrl } = current.type;
  if (subscription.wildcard === 'none') return;
  if (inFlight !== undefined && lastSent !== undefined) yield { typeUrl, name: '', status: 'stale', lastSent };
  else if (rejection !== undefined) yield { typeUrl, name: '', status: 'error', rejection };
  else if (client.responseRequired) yield { typeUrl, name: '', status: 'not-sent' };
}

function namesOf(type: WatchedTypeState): Set<string> {
  const { subscription, client, current, inFlight, rejection, rejectedDelta, acked } = type;
  const names = new Set(subscription.names);
  if (subscription.wildcard === 'none') return names;
  const views = new Set([current, client.view]);
  // The node rejected a later response and may still hold what it ACKed.
  if (rejection !== undefined && acked !== undefined) views.add(acked);
  for (const view of views) for (const { name } of view.resources()) names.add(name);
  // Removed resources whose removal is in flight, rejected or pending.
  for (const name of namesIn(inFlight)) names.add(name);
  for (const name of namesIn(rejection && rejectedDelta)) names.add(name);
  for (const name of client.pendingNames.keys()) names.add(name);
  return names;
}

function* namesIn(delta: Delta | undefined): Iterable<string> {
  for (const { name } of delta?.changed ?? []) yield name;
  yield* delta?.removed ?? [];
}
