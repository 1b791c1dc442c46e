import type { Clock, Logger, Random, Stop } from '../../edges.ts';
import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { World } from '../model.ts';
import { endpointText } from '../network/resolve.ts';
import { type AdsPlace, type AdsStream, openAdsStream } from './ads-stream.ts';
import { backoff } from './backoff.ts';
import { createWorld, type Subscription } from './config-store.ts';
import type { XdsStatus } from './model.ts';

/** The gateway's side of xDS. */
export interface XdsClient {
  /** What is in force. Empty before the first answer; stays while the control plane is away. */
  readonly world: World;
  status(): XdsStatus;
  /** Connects, and connects again for as long as it is not stopped. To be called once. */
  start(): Stop;
}

/** What the client needs. */
export interface XdsParts {
  readonly place: AdsPlace;
  readonly node: Node;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Where the client stands.
 *
 * `idle`: not started. `connecting`: a stream is open, with both first requests on it, and nothing came back yet.
 * `connected`: the control plane answers. `waiting`: the last stream ended, a timer starts the next. `stopped`: for good.
 *
 * `attempt` counts the streams that failed in a row, and so how long the next wait is.
 */
type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'connecting' | 'connected';
      readonly stream: AdsStream;
      readonly attempt: number;
      readonly since: number;
    }
  | { readonly kind: 'waiting'; readonly stopTimer: Stop; readonly why: string; readonly retryAt: number }
  | { readonly kind: 'stopped' };

/** Milliseconds. A stream that ends sooner counts as failed, although it was answered: else a control plane that answers
 * and drops would be asked fifty times a second. */
const settled = 1000;
/** Milliseconds between two warnings that the control plane is still away. */
const reminder = 60_000;

/** Keeps one delta stream to the control plane. Opens nothing before `start`. */
export function createXdsClient({ place, node, clock, random, log }: XdsParts): XdsClient {
  const { world, subscriptions } = createWorld(log);
  const address = endpointText(place.name);
  let state: State = { kind: 'idle' };
  let warned: { readonly at: number; readonly why: string } | undefined;

  /** Leaves the state that was: its stream or timer ends with it. */
  const enter = (next: State): void => {
    const left = state;
    state = next;
    if (left.kind === 'waiting') left.stopTimer();
    else if ((left.kind === 'connecting' || left.kind === 'connected') && !('stream' in next)) left.stream.close();
  };

  const connect = (attempt: number): void => {
    const stream = openAdsStream(place, {
      connected() {
        if (state.kind !== 'connecting') return;
        enter({ ...state, kind: 'connected', since: clock.now() });
        log.info('connected to the control plane', { address, node: node.id });
        warned = undefined;
      },
      response(response) {
        const request = answer(subscriptions, response, log);
        if (request !== undefined) stream.send(request);
      },
      ended: (why) => reconnect(why),
    });
    enter({ kind: 'connecting', stream, attempt, since: clock.now() });
    for (const subscription of subscriptions) stream.send(firstRequest(subscription, node));
  };

  const reconnect = (why: string): void => {
    if (state.kind !== 'connecting' && state.kind !== 'connected') return;
    const { kind, since } = state;
    const attempt = kind === 'connected' && clock.now() - since >= settled ? 0 : state.attempt;
    const wait = backoff(attempt, random);
    const stopTimer = clock.after(wait, () => connect(attempt + 1));
    enter({ kind: 'waiting', stopTimer, why, retryAt: clock.now() + wait });
    complain(why);
  };

  const complain = (why: string): void => {
    const repeated = warned?.why === why && clock.now() - warned.at < reminder;
    if (!repeated) warned = { at: clock.now(), why };
    const level = repeated ? 'debug' : 'warn';
    log[level](
      `no connection to the control plane at ${address}: ${why}; what it said last stays in force, trying again`,
    );
  };

  return {
    world,
    status: () => ({
      address,
      node: node.id,
      connection: connectionOf(state),
      kinds: subscriptions.map((it) => it.status()),
    }),
    start() {
      if (state.kind === 'idle') connect(0);
      return () => enter({ kind: 'stopped' });
    },
  };
}

/** Subscribes to everything of a kind: an empty list of names is a wildcard in the first request of a stream. */
function firstRequest({ typeUrl, versions }: Subscription, node: Node): DeltaDiscoveryRequest {
  return { ...emptyRequest, node, typeUrl, initialResourceVersions: Object.fromEntries(versions) };
}

/** A kind that was never asked for is not answered: any request that named it would subscribe to it. */
function answer(
  subscriptions: readonly Subscription[],
  response: DeltaDiscoveryResponse,
  log: Logger,
): DeltaDiscoveryRequest | undefined {
  const { typeUrl, nonce: responseNonce } = response;
  const subscription = subscriptions.find((candidate) => candidate.typeUrl === typeUrl);
  if (subscription === undefined) {
    log.warn('the control plane sent a kind of resource that was not asked for', { typeUrl });
    return undefined;
  }
  const message = subscription.accept(response);
  const errorDetail = message === undefined ? undefined : { code: 3, message, details: [] };
  return { ...emptyRequest, typeUrl, responseNonce, errorDetail };
}

const emptyRequest: DeltaDiscoveryRequest = {
  node: undefined,
  typeUrl: '',
  resourceNamesSubscribe: [],
  resourceNamesUnsubscribe: [],
  resourceLocatorsSubscribe: [],
  resourceLocatorsUnsubscribe: [],
  initialResourceVersions: {},
  responseNonce: '',
  errorDetail: undefined,
};

function connectionOf(state: State): XdsStatus['connection'] {
  switch (state.kind) {
    case 'idle':
      return { state: 'not started' };
    case 'connecting':
    case 'connected':
      return { state: state.kind, since: state.since };
    case 'waiting':
      return { state: 'waiting', why: state.why, retryAt: state.retryAt };
    case 'stopped':
      return { state: 'stopped' };
  }
}
