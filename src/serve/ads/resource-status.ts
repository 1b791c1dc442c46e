import type { Delta, EncodedResource, View } from '../../snapshot/model.ts';
import type { Rejection, ResourceState } from '../model.ts';
import type { Holding } from './client-state.ts';
import type { Subscription } from './subscription.ts';

/** One type on one stream, as it stands: everything that the states of its resources follow from. Nothing in it changes later. */
export interface TypeState {
  readonly subscription: Subscription;
  readonly holding: Holding;
  /** What of `holding.view` is still to be sent. */
  readonly unsent: readonly Delta[];
  /** What the Gateway is served now. */
  readonly current: View;
  /** What the response says that the node has not answered. */
  readonly inFlight?: Delta;
  /** The last state that the node confirmed as a whole. */
  readonly confirmed?: View;
  /** The last objection since then, and what it was against. */
  readonly rejection?: Rejection;
  readonly refused?: Delta;
  /** When the last response of the type was sent, in milliseconds since the epoch. */
  readonly lastSent?: number;
}

/** The states of the resources of several types. */
export function* resourceStates(types: readonly TypeState[]): Iterable<ResourceState> {
  for (const type of types) yield* statesOf(type);
}

/**
 * The state of every resource of the type that concerns the node: what its subscription covers of what the Gateway is
 * served, what it was told and has to forget, and the names it asks for that do not exist. Proportional to the answer.
 */
function* statesOf(type: TypeState): Iterable<ResourceState> {
  const { current, holding, lastSent } = type;
  const { typeUrl } = current.type;
  const inFlight = new Set(namesIn(type.inFlight));
  const refused = new Map((type.refused?.changed ?? []).map((resource) => [resource.name, resource]));
  const objectedTo = new Set(namesIn(type.refused));
  const owed = new Set(type.unsent.flatMap((part) => [...namesIn(part)]));
  for (const [name, version] of holding.asked) if (version === undefined) owed.add(name);

  const statusOf = (name: string, sent: EncodedResource | undefined): ResourceState['status'] => {
    if (inFlight.has(name)) return 'stale';
    if (owed.has(name)) return 'not-sent';
    const unconfirmed = objectedTo.has(name) || type.confirmed?.get(name)?.version !== sent?.version;
    if (type.rejection !== undefined && unconfirmed) return 'error';
    return sent === undefined || sent.version !== current.get(name)?.version ? 'not-sent' : 'synced';
  };
  const names = namesOf(type);
  for (const name of names) {
    const sent = owed.has(name) ? undefined : holding.view.get(name);
    const status = statusOf(name, sent);
    const against = type.rejection !== undefined && (status === 'error' || objectedTo.has(name));
    const resource = refused.get(name) ?? (status === 'error' ? sent : undefined);
    yield {
      typeUrl,
      name,
      status,
      ...(sent && { sent }),
      ...(lastSent !== undefined && status !== 'not-sent' && { lastSent }),
      ...(against && {
        refusal: { ...(resource && { resource }), message: type.rejection.message, at: type.rejection.at },
      }),
    };
  }
  if (names.size === 0) yield* emptyWorld(type);
}

/** There is nothing that a state could be about; that the node has not confirmed this is told under an empty name. */
function* emptyWorld({
  current,
  subscription,
  holding,
  inFlight,
  rejection,
  lastSent,
}: TypeState): Iterable<ResourceState> {
  const { typeUrl } = current.type;
  if (subscription.wildcard === 'none') return;
  if (inFlight !== undefined && lastSent !== undefined) yield { typeUrl, name: '', status: 'stale', lastSent };
  else if (rejection !== undefined) yield { typeUrl, name: '', status: 'error', refusal: rejection };
  else if (holding.answer) yield { typeUrl, name: '', status: 'not-sent' };
}

function namesOf({ subscription, holding, current, inFlight, refused, rejection, confirmed }: TypeState): Set<string> {
  const names = new Set(subscription.names);
  if (subscription.wildcard === 'none') return names;
  const views = new Set([current, holding.view]);
  // What was confirmed and then taken away with an objection: the node may still hold it.
  if (rejection !== undefined && confirmed !== undefined) views.add(confirmed);
  for (const view of views) for (const { name } of view.resources()) names.add(name);
  // What the node was told or has to be told of, although there is nothing of it any more.
  for (const name of namesIn(inFlight)) names.add(name);
  for (const name of namesIn(rejection && refused)) names.add(name);
  for (const name of holding.asked.keys()) names.add(name);
  return names;
}

function* namesIn(difference: Delta | undefined): Iterable<string> {
  for (const { name } of difference?.changed ?? []) yield name;
  yield* difference?.removed ?? [];
}
