import type { Clock, Logger, Random, Stop } from '../../edges.ts';
import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { shortened } from '../../json/quoted.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { GatewayConfig } from '../model.ts';
import { type AdsStream, type ControlPlane, openAdsStream } from './ads-stream.ts';
import { type ConfigStore, createConfigStore, type Subscription } from './config-store.ts';
import { createLastGood, type LastGood, type LastGoodSettings } from './last-good.ts';
import type { XdsStatus } from './model.ts';
import { gatewayNamedBy, lastingMetadata, namesGateway } from './node.ts';
import { createStateFolder } from './state-folder.ts';
import { maxStateBytes } from './state-format.ts';

/** The xDS client of the gateway. */
export interface XdsClient {
  /** The configuration in force. */
  readonly config: GatewayConfig;
  status(): XdsStatus;
  /** Puts last-good state in force, if there is any. Call it before {@link start}, and once. */
  load(): Promise<void>;
  /** Saves the state. Call it after the end of what {@link start} has begun. */
  save(): Promise<void>;
  /** Connects, and reconnects until the returned function is called. Call it once. */
  start(): Stop;
}

/** The control plane, the identity of this node, and dependencies. */
export interface XdsParts {
  readonly controlPlane: ControlPlane;
  readonly node: Node;
  /** `undefined`: nothing is kept on disk. */
  readonly lastGood?: LastGoodSettings | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * State of the client.
 *
 * `idle`: not started. `connecting`: a stream is open and the first requests are sent, but there is no response yet.
 * `connected`: the control plane has responded. `waiting`: the last stream ended, and a timer starts the next one.
 * `stopped`: final.
 *
 * `failures` counts the streams that failed in a row, which determines the next delay.
 */
type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'connecting' | 'connected';
      readonly stream: AdsStream;
      readonly failures: number;
      /** Milliseconds since the epoch. */
      readonly since: number;
      /** The same moment, as monotonic time. */
      readonly entered: number;
    }
  | { readonly kind: 'waiting'; readonly stopTimer: Stop; readonly reason: string; readonly retryAt: number }
  | { readonly kind: 'stopped' };

/**
 * What is revoked while the control plane restarts arrives after the last of these delays, so that it is short. A thousand
 * gateways that wait for it are some 270 connections a second: a control plane takes as many beside its work.
 */
const reconnectBackoff: Backoff = { initial: 20, max: 5_000 };

/**
 * Milliseconds that a stream must last to reset the backoff. Otherwise a control plane that responds and then drops the
 * stream would get fifty connections per second.
 */
const minStableTime = 1_000;

/** Milliseconds between two warnings about the same failure. */
const reminderInterval = 60_000;

/** Creates a client that keeps one delta ADS stream to the control plane. Does not connect before `start`. */
export function createXdsClient(parts: XdsParts): XdsClient {
  const { controlPlane, node, clock, random, log } = parts;
  const lastGood = lastGoodOf(parts, () => store);
  const store = createConfigStore(log, lastGood);
  const { config, subscriptions } = store;
  const address = formatHostPort(controlPlane.authority);
  const outages = new LogThrottle(clock, log, { sameReason: reminderInterval, otherReason: 0 });
  let state: State = { kind: 'idle' };

  /** Changes the state, and ends the timer or the stream of the previous one. */
  const enter = (next: State): void => {
    const previous = state;
    state = next;
    if (previous.kind === 'waiting') previous.stopTimer();
    else if ('stream' in previous && !('stream' in next)) {
      previous.stream.close();
      lastGood?.disconnected();
    }
  };

  const connect = (failures: number): void => {
    const stream = openAdsStream(controlPlane, {
      connected(unknownGateway) {
        if (state.kind !== 'connecting') return;
        enter({ ...state, kind: 'connected', since: clock.now(), entered: clock.monotonic() });
        lastGood?.connected();
        log.info('connected to the control plane', { address, node: node.id, gateway: gatewayNamedBy(node) });
        if (unknownGateway !== undefined) warnOfUnknownGateway(log, unknownGateway);
        outages.forget(address);
      },
      response(response) {
        const request = ackOrNack(subscriptions, response, log);
        if (request !== undefined) stream.send(request);
      },
      ended: (reason) => reconnect(reason),
    });
    enter({ kind: 'connecting', stream, failures, since: clock.now(), entered: clock.monotonic() });
    for (const subscription of subscriptions) stream.send(firstRequest(subscription, node));
  };

  const reconnect = (reason: string): void => {
    if (state.kind !== 'connecting' && state.kind !== 'connected') return;
    const isStable = state.kind === 'connected' && clock.monotonic() - state.entered >= minStableTime;
    const failures = isStable ? 1 : state.failures + 1;
    const delay = backoffDelay(failures, reconnectBackoff, random);
    const stopTimer = clock.after(delay, () => connect(failures));
    enter({ kind: 'waiting', stopTimer, reason, retryAt: clock.now() + delay });
    // grpc-js writes the time into some reasons.
    const level = outages.admit(address, reason.replace(isoTime, '')) ? 'warn' : 'debug';
    const hasSaid = subscriptions.some((subscription) => subscription.status().ackedNonce !== null);
    const inForce =
      hasSaid || lastGood?.status() ? 'what it said last stays in force' : 'without it nothing is allowed';
    log[level](`no connection to the control plane at ${address}: ${reason}; ${inForce}, trying again`);
  };

  return {
    config,
    status: () => ({
      address,
      node: node.id,
      connection: connectionStatus(state),
      kinds: subscriptions.map((subscription) => subscription.status()),
      lastGood: lastGood?.status() ?? null,
    }),
    load: () => lastGood?.load() ?? Promise.resolve(),
    save: () => lastGood?.stop() ?? Promise.resolve(),
    start() {
      if (state.kind === 'idle') connect(0);
      return () => enter({ kind: 'stopped' });
    },
  };
}

const isoTime = /\d{4}-\d\d-\d\dT[\d:.]{8,12}Z/g;

/** State of a node without a name may be of any Gateway, so none is kept. */
function lastGoodOf(
  { controlPlane: { authority, security }, node, lastGood, clock, random, log }: XdsParts,
  store: () => ConfigStore,
): LastGood | undefined {
  if (lastGood === undefined) return undefined;
  if (!namesGateway(node)) {
    log.warn('no last-good state is kept (--state): nothing names the Gateway; set alt_xds_hostname', {
      folder: lastGood.folder,
    });
    return undefined;
  }
  const controlPlane = `${security.tls === undefined ? 'http' : 'https'}://${formatHostPort(authority)}`;
  const owner = { controlPlane, metadata: lastingMetadata(node) };
  const folder = createStateFolder(lastGood.folder, maxStateBytes, random);
  return createLastGood({ ...lastGood, folder, owner, store, clock, random, log });
}

function warnOfUnknownGateway(log: Logger, gateway: string): void {
  log.warn(
    'the control plane knows no such Gateway: there is nothing to call until it is created; check its name and namespace',
    { gateway: shortened(gateway) },
  );
}

/** The first request of a type on a stream. Without names it is a wildcard subscription. */
function firstRequest({ typeUrl, versions }: Subscription, node: Node): DeltaDiscoveryRequest {
  return { ...emptyRequest, node, typeUrl, initialResourceVersions: Object.fromEntries(versions) };
}

/**
 * Applies a response and returns its ACK or NACK. Ignores an unknown type: any request for it would be a subscription.
 */
function ackOrNack(
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
  const message = subscription.apply(response);
  const errorDetail = message === undefined ? undefined : { code: invalidArgument, message, details: [] };
  return { ...emptyRequest, typeUrl, responseNonce, errorDetail };
}

/** `INVALID_ARGUMENT` of google.rpc.Code. */
const invalidArgument = 3;

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

function connectionStatus(state: State): XdsStatus['connection'] {
  switch (state.kind) {
    case 'idle':
      return { state: 'not started' };
    case 'connecting':
    case 'connected':
      return { state: state.kind, since: new Date(state.since).toISOString() };
    case 'waiting':
      return { state: 'waiting', why: state.reason, retryAt: new Date(state.retryAt).toISOString() };
    case 'stopped':
      return { state: 'stopped' };
  }
}
