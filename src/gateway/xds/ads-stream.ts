import { type ClientOptions, credentials, Metadata, status } from '@grpc/grpc-js';
import type { Stop } from '../../edges.ts';
import { AggregatedDiscoveryServiceClient } from '../../gen/envoy/service/discovery/v3/ads.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { reasonOf } from '../../net/errors.ts';
import { formatHostPort, type HostPort } from '../../net/host-port.ts';
import type { XdsSecurity } from '../config/model.ts';
import { readCredentials, type StreamCredentials } from './credentials.ts';

/** One delta ADS stream, on a connection of its own. */
export interface AdsStream {
  send(request: DeltaDiscoveryRequest): void;
  /** Ends the stream and its connection. No event follows. */
  readonly close: Stop;
}

/** The events of a stream. */
export interface AdsEvents {
  /**
   * The control plane has sent headers or a first response. Emitted once, before the first `response`.
   *
   * @param unknownGateway the Gateway that this node names, if the control plane says that it does not exist
   */
  connected(unknownGateway: string | undefined): void;
  response(response: DeltaDiscoveryResponse): void;
  /** The stream has ended. No event follows. */
  ended(reason: string): void;
}

/** The control plane. */
export interface ControlPlane {
  /** The `:authority` of the requests: the address in the configuration. */
  readonly authority: HostPort;
  /** The address that is connected to, which `--resolve` may override. */
  readonly address: HostPort;
  readonly security: XdsSecurity;
}

/**
 * Milliseconds until a connection must be ready for requests. grpc-js waits without a limit for the first frame of a
 * server that accepts connections and says nothing, such as one that is suspended, and keepalive begins after that frame.
 */
const readyTime = 20_000;

/**
 * Opens a stream. Does not share or reuse connections, so that the caller alone decides when to retry, and each attempt
 * looks up the name anew.
 */
export function openAdsStream(controlPlane: ControlPlane, events: AdsEvents, within: number = readyTime): AdsStream {
  const { security } = controlPlane;
  const openWith = (read: StreamCredentials): AdsStream => open(controlPlane, read, events, within);
  if (security.tls === undefined && security.token === undefined) return openWith(plaintext);
  let state: 'reading' | AdsStream | 'closed' = 'reading';
  // The first requests of the types: the caller sends no more before a response.
  const early: DeltaDiscoveryRequest[] = [];
  readCredentials(security).then(
    (read) => {
      if (state === 'closed') return;
      const stream = openWith(read);
      state = stream;
      for (const request of early) stream.send(request);
    },
    (error: unknown) => {
      if (state === 'closed') return;
      state = 'closed';
      events.ended(reasonOf(error));
    },
  );
  return {
    send(request) {
      if (state === 'reading') early.push(request);
      else if (state !== 'closed') state.send(request);
    },
    close() {
      if (typeof state === 'object') state.close();
      state = 'closed';
    },
  };
}

const plaintext: StreamCredentials = { channel: credentials.createInsecure(), metadata: new Metadata() };

function open(
  controlPlane: ControlPlane,
  { channel, metadata }: StreamCredentials,
  events: AdsEvents,
  within: number,
): AdsStream {
  const { authority, address } = controlPlane;
  const client = new AggregatedDiscoveryServiceClient(`dns:${formatHostPort(address)}`, channel, {
    ...options,
    'grpc.default_authority': formatHostPort(authority),
    ...serverNameOf(controlPlane),
  });
  const call = client.deltaAggregatedResources(metadata);
  let state: 'opening' | 'open' | 'closed' = 'opening';
  const connected = (headers?: Metadata): void => {
    if (state !== 'opening') return;
    state = 'open';
    events.connected(headers?.get(unknownGatewayHeader).map(String).at(0));
  };
  const close = (): void => {
    if (state === 'closed') return;
    state = 'closed';
    call.cancel();
    client.close();
  };

  // A control plane may send headers with its first response only, so that they prove nothing.
  client.waitForReady(Date.now() + within, (error) => {
    if (error === undefined || state !== 'opening') return;
    close();
    events.ended(`it accepts no HTTP/2 connection within ${within / 1_000} s`);
  });
  call.on('metadata', connected);
  call.on('data', (response: DeltaDiscoveryResponse) => {
    connected();
    if (state !== 'closed') events.response(response);
  });
  // Every end, also an error, emits `status`. Without a listener, `error` would end the process.
  call.on('error', () => {});
  call.on('status', ({ code, details }) => {
    if (state === 'closed') return;
    close();
    events.ended(code === status.OK ? 'the control plane ended the stream' : failureOf(code, details));
  });
  return {
    send: (request) => {
      if (state !== 'closed') call.write(request);
    },
    close,
  };
}

/** What grpc-js says, and the remedy where it knows none: a listener for HTTP/1.1 answers what is no frame of HTTP/2. */
function failureOf(code: status, details: string): string {
  const failure = `${status[code]}: ${details.replace(emptyNote, '').replace(/\.$/, '')}`;
  if (!details.includes('Protocol error')) return failure;
  return `${failure}: what listens there speaks no gRPC; xds_address names the port for gateways, 9977 by default`;
}

/** The name that the certificate must have, where it is not that of the address that is connected to. */
function serverNameOf({ authority, address, security }: ControlPlane): ClientOptions {
  const { serverName } = security.tls ?? {};
  const name = serverName ?? (authority.host === address.host ? undefined : authority.host);
  return security.tls === undefined || name === undefined ? {} : { 'grpc.ssl_target_name_override': name };
}

/** A response header of gatehouse. Its value is `<namespace>/<name>`. */
const unknownGatewayHeader = 'gatehouse-unknown-gateway';

/** grpc-js appends the resolver's note to its message, even when it is empty. */
const emptyNote = / Resolution note: $/;

const options: ClientOptions = {
  'grpc.max_receive_message_length': 200 * 1024 * 1024,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
  // The control plane is in the cluster, so a proxy of the environment must not be used.
  'grpc.enable_http_proxy': 0,
};
